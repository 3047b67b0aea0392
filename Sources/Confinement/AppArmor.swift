// AppArmor: the profile that the process gets at its execve. Written to the process's own attribute file through a
// procfs handle, never through a path that the container can cover. Checked in the runtime, written in init.

internal import Diagnostics
internal import LinuxSystem
internal import PathResolution

/// The AppArmor security module.
package enum AppArmor {
    /// Whether profiles can be applied on this machine; to be asked in the runtime, in the host's mount namespace.
    package static var isEnabled: Bool {
        guard let file = try? BorrowedFD.workingDirectory.open("/sys/module/apparmor/parameters/enabled", .readOnly),
            let answer = try? file.borrowed.read(upTo: 1)
        else { return false }
        return answer == Array("Y".utf8)
    }

    /// Whether this process is under a profile; to be asked in the runtime, in the host's mount namespace. A profile in
    /// the mode "unconfined" restricts nothing.
    package static var confinesThisProcess: Bool {
        for path in ["/proc/self/attr/apparmor/current", "/proc/self/attr/current"] {
            guard let file = try? BorrowedFD.workingDirectory.open(path, .readOnly),
                let bytes = try? file.borrowed.read(upTo: 4096)
            else { continue }
            return isConfinement(bytes)
        }
        return false
    }

    /// What the kernel says of a process: `unconfined`, or `NAME (MODE)`, with or without a line break.
    package static func isConfinement(_ text: [UInt8]) -> Bool {
        let words = text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == 0 }
        guard let last = words.last else { return false }
        return !last.elementsEqual((words.count == 1 ? "unconfined" : "(unconfined)").utf8)
    }

    /// Refuses a profile that would silently not be applied.
    static func check(_ profile: String?, isEnabled: Bool) throws(Failure) {
        // Without the module every process is unconfined: that wish is granted.
        guard let profile, !profile.isEmpty, profile != "unconfined", !isEnabled else { return }
        throw Failure(
            "process.apparmorProfile: AppArmor is not active on this host, so \"\(profile)\" cannot be applied",
            .unsupported,
            subject: "process.apparmorProfile",
            hint: "boot with apparmor=1, or leave process.apparmorProfile out"
        )
    }

    /// Asks for a change of profile at the next execve; see aa_change_onexec(2) and aa_stack_onexec(2).
    /// - Parameter stacked: Whether the profile is added to the one that this process has.
    static func setExecProfile(
        _ profile: String,
        stacked: Bool,
        _ proc: borrowing ProcHandle?
    ) throws(Failure) {
        let command = "\(stacked ? "stack" : "exec") \(profile)"
        do throws(Failure) {
            try ProcAttribute.write(command, to: "self/attr/apparmor/exec", proc) { refusal(profile, $0) }
        } catch {
            // Before Linux 5.8 there is only the file that all modules share.
            guard error.errno == .ENOENT, error.call == .openat2 else { throw error }
            try ProcAttribute.write(command, to: "self/attr/exec", proc) { refusal(profile, $0) }
        }
    }

    private static func refusal(_ profile: String, _ errno: Errno) -> Failure {
        Failure(
            "apply the AppArmor profile \(profile) of process.apparmorProfile",
            .write,
            errno,
            hint: errno == .ENOENT ? "the profile is not loaded: see aa-status(8) and apparmor_parser(8)" : nil
        )
    }
}
