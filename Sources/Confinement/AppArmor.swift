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

    /// Asks for a change of profile at the next execve; see aa_change_onexec(2).
    static func setExecProfile(_ profile: String, _ proc: borrowing ProcHandle?) throws(Failure) {
        let command = "exec \(profile)"
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
