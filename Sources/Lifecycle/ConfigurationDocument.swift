// A config.json from its bytes to a checked configuration, for bundles and for the copies that containers keep. A filter on
// system calls that was compiled before is recognized by its text, and neither decoded nor checked again.

internal import Configuration
internal import Confinement
internal import Diagnostics
internal import JSON
internal import LinuxSystem
internal import OCISpec
internal import Records

/// A decoded config.json.
struct ConfigurationDocument {
    /// Without a filter that is known.
    let spec: RuntimeSpec
    private let filter: SeccompSection?
    private let filterText: ArraySlice<UInt8>

    /// - Parameters:
    ///   - filters: Where compiled filters are kept; `nil` if the filter is not going to be used.
    ///   - isMade: Whether the container is there, and only a process of it is wanted: then what was asked for its creation
    ///     is left out.
    init(_ bytes: [UInt8], filters stateRoot: StateRoot?, isMade: Bool = false) throws(JSONError) {
        var source = try JSONSource(bytes)
        if isMade {
            source.leaveOut("mounts")
            source.leaveOut("hooks")
            source.leaveOut("linux", "resources")
            source.leaveOut("linux", "devices")
            source.leaveOut("linux", "maskedPaths")
            source.leaveOut("linux", "readonlyPaths")
        }
        filterText = source.text(of: "linux", "seccomp") ?? []
        if !filterText.isEmpty, let cache = stateRoot?.openCacheIfPresent("seccomp"),
            let known = SeccompFilter.known(filterText, in: cache.borrowed)
        {
            filter = known
            source.leaveOut("linux", "seccomp")
        } else {
            filter = nil
        }
        spec = try source.decode(RuntimeSpec.self)
    }

    /// Checks it.
    /// - Parameter bundle: Absolute.
    func configuration(bundle: String, _ facts: HostFacts) throws(ConfigurationProblem) -> ContainerConfiguration {
        var configuration = try Validator.configuration(from: spec, bundle: bundle, facts: facts)
        if let filter {
            configuration.seccomp = filter
        } else if let rules = configuration.seccomp?.configuration {
            configuration.seccomp = SeccompSection(rules, text: Array(filterText))
        }
        return configuration
    }
}
