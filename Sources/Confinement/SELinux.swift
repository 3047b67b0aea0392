// SELinux: the context of the process and of its keyring. libselinux answers whether the module is on and whether a
// context is valid, in the runtime; the context is written in init through a procfs handle, never through a path that
// the container can cover. The only file that imports libselinux.

internal import CSELinux
package import Diagnostics
internal import LinuxSystem
internal import PathResolution

/// The SELinux security module.
package enum SELinux {
    /// Whether a policy is in force on this machine; to be asked in the runtime, in the host's mount namespace.
    package static var isEnabled: Bool {
        LibrarySetup.prepareSELinux()
        return is_selinux_enabled() == 1
    }

    /// Asks the loaded policy about a context; to be asked in the runtime, in the host's mount namespace.
    /// - Parameter key: The configuration key that holds it, for the message.
    package static func validate(_ label: String, of key: String) throws(Failure) {
        guard isEnabled, unsafe security_check_context(label) != 0 else { return }
        throw Failure(
            "\(key): the loaded SELinux policy does not know the context \"\(label)\"",
            .unsupported,
            subject: key
        )
    }

    /// Refuses a label that would silently not be applied.
    static func check(_ label: String?, isEnabled: Bool) throws(Failure) {
        guard let label, !label.isEmpty, !isEnabled else { return }
        throw Failure(
            "process.selinuxLabel: SELinux is not active on this host, so \"\(label)\" cannot be applied",
            .unsupported,
            subject: "process.selinuxLabel",
            hint: "load a policy, or leave process.selinuxLabel out"
        )
    }

    /// Sets the context that the next execve brings.
    static func setExecLabel(_ label: String, _ proc: borrowing ProcHandle?) throws(Failure) {
        try write(label, "self/attr/exec", proc, "set the context of process.selinuxLabel \(label)")
    }

    /// Sets the context of keys made from now on; empty goes back to the policy's choice.
    static func setKeyLabel(_ label: String, _ proc: borrowing ProcHandle?) throws(Failure) {
        // A line break is how this file is told "none".
        let value = label.isEmpty ? "\n" : label
        try write(value, "self/attr/keycreate", proc, "label the session keyring with process.selinuxLabel \(label)")
    }

    private static func write(
        _ value: String,
        _ path: String,
        _ proc: borrowing ProcHandle?,
        _ action: @autoclosure () -> String
    ) throws(Failure) {
        try ProcAttribute.write(value, to: path, proc) { errno in
            Failure(
                action(),
                .write,
                errno,
                hint: errno == .EINVAL ? "the loaded policy does not know this context: see seinfo(1)" : nil
            )
        }
    }
}
