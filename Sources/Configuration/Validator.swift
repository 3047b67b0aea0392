// The list of checks between a config.json and a container, and nothing else. Each check is in Checks/, one file a
// subject; it turns words into typed values or throws the one problem it found first.
// Called by Lifecycle before anything is touched. Pure: what it needs to know of the machine is in `HostFacts`.

package import OCISpec

/// Turns a configuration of the runtime-spec into a checked one.
package enum Validator {
    /// Returns the container that `spec` describes.
    ///
    /// - Parameter bundle: The bundle's directory, an absolute path: relative paths of the root and of bind mounts
    ///   count from it.
    /// - Throws: The first problem, in the order of the list below.
    package static func configuration(
        from spec: RuntimeSpec,
        bundle: String,
        facts: HostFacts
    ) throws(ConfigurationProblem) -> ContainerConfiguration {
        let linux = spec.linux ?? Linux()

        let version = try self.version(of: spec)
        try checkUnsupportedFeatures(linux)
        var container = ContainerConfiguration(
            ociVersion: spec.ociVersion,
            root: try root(spec, bundle: bundle),
            namespaces: try namespaces(linux)
        )
        container.warnings += platformWarnings(spec)
        try addUserNamespace(linux, to: &container)
        try checkRootless(container, facts: facts)
        try addTimeOffsets(linux, to: &container)
        try addHostname(spec, to: &container)
        try addAnnotations(spec, to: &container)
        if let process = spec.process {
            let place = Place.document.member("process")
            container.process = try self.process(
                process,
                at: place,
                in: container,
                facts: facts,
                warnings: &container.warnings
            )
        }
        try addMounts(spec, bundle: bundle, to: &container)
        try addRootPropagation(linux, to: &container)
        try addHiddenPaths(linux, to: &container)
        try addMountLabel(linux, facts: facts, to: &container)
        container.devices = try devices(linux)
        container.netDevices = try netDevices(linux, in: container, facts: facts)
        container.cgroupsPath = try cgroupsPath(linux)
        if let resources = linux.resources {
            let place = Place(keyPath: "linux.resources")
            container.resources = try self.resources(resources, at: place, version: version)
        }
        container.sysctls = try sysctls(linux, in: container)
        container.seccomp = try seccomp(linux).map { SeccompSection($0) }
        container.personality = try personality(linux)
        container.memoryPolicy = try memoryPolicy(linux)
        container.hooks = try hooks(spec)
        return container
    }
}
