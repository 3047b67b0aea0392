// The root file system, and what of it is hidden or shared.

import KernelTypes
import OCISpec

extension Validator {
    static func root(_ spec: RuntimeSpec, bundle: String) throws(ConfigurationProblem) -> RootConfiguration {
        let place = Place.document.member("root")
        guard let root = spec.root else {
            throw place.problem("root must be specified: the path of the directory with the root file system")
        }
        let path = place.member("path")
        guard !root.path.isEmpty else { throw path.expected("the path of a directory", found: quoted(root.path)) }
        try path.wholeString(root.path)
        return RootConfiguration(path: LexicalPath.joined(bundle, root.path), readonly: root.readonly ?? false)
    }

    /// The names with an r are what higher runtimes write; runtime-spec knows the others.
    static func addRootPropagation(
        _ linux: Linux,
        to container: inout ContainerConfiguration
    ) throws(ConfigurationProblem) {
        guard let text = linux.rootfsPropagation, !text.isEmpty else { return }
        let plain = text.utf8.first == UInt8(ascii: "r") ? String(text.dropFirst()) : text
        guard let propagation = MountPropagation(rawValue: plain) else {
            throw Place(keyPath: "linux.rootfsPropagation").problem(
                "rootfsPropagation=\(text) is not supported; expected shared, slave, private or unbindable, "
                    + "or one of these with an r in front"
            )
        }
        container.rootfsPropagation = propagation
    }

    static func addHiddenPaths(_ linux: Linux, to container: inout ContainerConfiguration) throws(ConfigurationProblem)
    {
        let place = Place.document.member("linux")
        container.maskedPaths = try hiddenPaths(linux.maskedPaths, at: place.member("maskedPaths"), in: container)
        container.readonlyPaths = try hiddenPaths(linux.readonlyPaths, at: place.member("readonlyPaths"), in: container)
    }

    /// A path that is listed twice would be covered twice, so only the first is kept.
    private static func hiddenPaths(
        _ paths: [String]?,
        at place: Place,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) -> [String] {
        guard let paths, !paths.isEmpty else { return [] }
        guard container.namespaces.isSeparate(.mount) else {
            throw place.problem(
                "unable to restrict sys entries without a private MNT namespace; "
                    + "expected one of type mount in linux.namespaces"
            )
        }
        var seen = TextSet(capacity: paths.count)
        let cleaned = try place.each(paths) { (path, place) throws(ConfigurationProblem) in
            try place.absolutePath(path)
        }
        return cleaned.filter { seen.insert($0) }
    }

    static func addMountLabel(
        _ linux: Linux,
        facts: HostFacts,
        to container: inout ContainerConfiguration
    ) throws(ConfigurationProblem) {
        container.mountLabel = try seLinuxLabel(linux.mountLabel, at: Place(keyPath: "linux.mountLabel"), facts: facts)
    }

    static func cgroupsPath(_ linux: Linux) throws(ConfigurationProblem) -> String? {
        guard let path = linux.cgroupsPath, !path.isEmpty else { return nil }
        let place = Place(keyPath: "linux.cgroupsPath")
        try place.wholeString(path)
        guard !path.utf8.contains(UInt8(ascii: "\n")) else {
            throw place.expected("a path without line breaks", found: quoted(path))
        }
        return path
    }
}
