// What `features` prints: only what this build really does, the same on every host. Runtime-spec: features.md and
// features-linux.md. A list taken from Configuration is what its parser accepts, so that the two cannot disagree.

internal import Configuration
package import Diagnostics
internal import JSON
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
        features.hooks = [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
        ]
        features.mountOptions = MountOptionTable.names
        features.linux = linux
        features.annotations = [
            "io.github.seccomp.libseccomp.version": libseccomp,
            "org.opencontainers.runc.checkpoint.enabled": "true",
        ]
        features.potentiallyUnsafeConfigAnnotations = [
            "org.criu.config", "org.systemd.property.", "run.oci.keep_original_groups",
            "run.oci.seccomp_fail_unknown_syscall",
        ]
        return features
    }

    private static var linux: LinuxFeatures {
        var linux = LinuxFeatures()
        linux.namespaces = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]
        linux.capabilities = CapabilitySet.names
        linux.cgroup = cgroup
        linux.seccomp = seccomp
        linux.apparmor = FeatureSwitch(enabled: true)
        linux.selinux = FeatureSwitch(enabled: true)
        linux.intelRdt = IntelRdtFeatures(enabled: false)
        linux.memoryPolicy = MemoryPolicyFeatures(
            modes: [
                "MPOL_BIND", "MPOL_DEFAULT", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED", "MPOL_PREFERRED_MANY",
                "MPOL_WEIGHTED_INTERLEAVE",
            ],
            flags: ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"]
        )
        linux.mountExtensions = MountExtensionFeatures(idmap: FeatureSwitch(enabled: true))
        linux.netDevices = FeatureSwitch(enabled: false)
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
        seccomp.actions = [
            "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
            "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
        ]
        seccomp.operators = [
            "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
            "SCMP_CMP_NE",
        ]
        seccomp.archs = SeccompConfiguration.architectureNames.sorted()
        seccomp.knownFlags = SeccompConfiguration.flagBits.map(\.name).sorted()
        // apus installs the filter by seccomp(2) itself, so libseccomp's age takes no flag away.
        seccomp.supportedFlags = seccomp.knownFlags
        return seccomp
    }
}
