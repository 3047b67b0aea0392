// What `features` prints: only what this build really does, the same on every host. Runtime-spec: features.md and
// features-linux.md. A list taken from Configuration is what its parser accepts, so that the two cannot disagree.

internal import Configuration
package import Diagnostics
internal import JSON
internal import KernelTypes
internal import OCISpec

/// The features document.
package enum FeaturesReport {
    /// The document as JSON with a line break at the end.
    /// - Parameter libseccomp: The version of the library that is linked, such as `2.5.4`.
    package static func text(libseccomp: String) throws(Failure) -> String {
        do throws(JSONError) {
            return String(decoding: try JSONEncoder(indent: "    ").encode(document(libseccomp)), as: UTF8.self) + "\n"
        } catch {
            throw Failure("encode the features document: \(error)")
        }
    }

    private static func document(_ libseccomp: String) -> Features {
        var features = Features(
            ociVersionMin: SpecVersion.oldest.description,
            ociVersionMax: SpecVersion.current.description
        )
        features.hooks = HookPoint.allCases.map(\.rawValue)
        features.mountOptions = MountOptionTable.names
        features.linux = linux
        features.annotations = [
            "io.github.seccomp.libseccomp.version": libseccomp,
            "org.opencontainers.runc.checkpoint.enabled": "true",
        ]
        features.potentiallyUnsafeConfigAnnotations = KnownAnnotation.allCases.map(\.rawValue).sorted()
        return features
    }

    private static var linux: LinuxFeatures {
        var linux = LinuxFeatures()
        linux.namespaces = NamespaceKind.allCases.map(\.rawValue).sorted()
        linux.capabilities = CapabilitySet.names
        linux.cgroup = cgroup
        linux.seccomp = seccomp
        linux.apparmor = FeatureSwitch(enabled: true)
        linux.selinux = FeatureSwitch(enabled: true)
        linux.intelRdt = IntelRdtFeatures(enabled: false, schemata: false, monitoring: false)
        linux.memoryPolicy = MemoryPolicyFeatures(
            modes: Validator.memoryModeNames.sorted(),
            flags: Validator.memoryFlagNames.sorted()
        )
        linux.mountExtensions = MountExtensionFeatures(idmap: FeatureSwitch(enabled: true))
        linux.netDevices = FeatureSwitch(enabled: true)
        return linux
    }

    private static var cgroup: CgroupFeatures {
        var cgroup = CgroupFeatures()
        cgroup.v1 = true
        cgroup.v2 = true
        cgroup.systemd = true
        cgroup.systemdUser = true
        cgroup.rdma = true
        return cgroup
    }

    private static var seccomp: SeccompFeatures {
        var seccomp = SeccompFeatures()
        seccomp.enabled = true
        seccomp.actions = Validator.seccompActionNames.sorted()
        seccomp.operators = Validator.seccompOperatorNames.sorted()
        seccomp.archs = SeccompConfiguration.architectureNames.sorted()
        seccomp.knownFlags = SeccompConfiguration.flagBits.map(\.name).sorted()
        // apus installs the filter by seccomp(2) itself, so libseccomp's age takes no flag away.
        seccomp.supportedFlags = seccomp.knownFlags
        return seccomp
    }
}
