// The annotations of a config.json that change what the runtime does; all others are only passed on. `features` prints
// them.

/// An annotation with a meaning of its own.
package enum KnownAnnotation: String, CaseIterable, Sendable {
    /// A file of further options for checkpoint and restore; empty for none.
    case criuConfiguration = "org.criu.config"
    /// With a name behind it: a property of the container's scope of systemd.
    case systemdProperty = "org.systemd.property."
    /// `1`: the program keeps the supplementary groups of the runtime.
    case keepsOriginalGroups = "run.oci.keep_original_groups"
    /// Whatever its value: a seccomp profile with a call that nobody knows is refused.
    case failsOnUnknownSystemCall = "run.oci.seccomp_fail_unknown_syscall"
}

extension ContainerConfiguration {
    /// The annotation's value; `nil` when the container has it not.
    package func value(of annotation: KnownAnnotation) -> String? {
        annotations.first { $0.key == annotation.rawValue }?.value
    }
}
