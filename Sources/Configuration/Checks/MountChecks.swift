// `mounts`: what each entry is, where it goes, and what its options do.

import KernelTypes
import OCISpec

extension Validator {
    static func addMounts(
        _ spec: RuntimeSpec,
        bundle: String,
        to container: inout ContainerConfiguration
    ) throws(ConfigurationProblem) {
        let place = Place.document.member("mounts")
        let mounts = spec.mounts ?? []
        for index in mounts.indices {
            let checked = try mount(mounts[index], at: place.element(index), bundle: bundle, in: &container)
            container.mounts.append(checked)
        }
    }

    private static func mount(
        _ mount: Mount,
        at place: Place,
        bundle: String,
        in container: inout ContainerConfiguration
    ) throws(ConfigurationProblem) -> MountConfiguration {
        let destination = try self.destination(mount, at: place.member("destination"), warnings: &container.warnings)
        let words = mount.options ?? []
        var options = MountOptions()
        var bind: Bool?
        var isRemount = false
        var idMap: Bool?
        var ownMap: IDMapRequest?
        for (index, word) in words.enumerated() {
            let place = place.member("options").element(index)
            try place.wholeString(word)
            guard let effect = MountOptionTable.effect(of: word) else {
                if let map = try idMapOption(word, at: place, in: container) {
                    ownMap = map
                } else if !word.isEmpty {
                    options.data.append(word)
                }
                continue
            }
            options.add(effect)
            switch effect {
            case .bind(let recursive): bind = recursive || bind == true
            case .idMap(let recursive): idMap = recursive || idMap == true
            case .remount: isRemount = true
            default: break
            }
        }
        let kind = try self.kind(mount, at: place, bind: bind, isRemount: isRemount)
        options.idMap = try idMapRequest(mount, ownMap, at: place, kind: kind, recursive: idMap, in: container)
        try checkOptions(options, of: kind, at: place.member("options"), in: container)
        return MountConfiguration(
            kind: kind,
            destination: destination,
            source: try source(mount, at: place, kind: kind, bundle: bundle),
            options: options,
            optionWords: words
        )
    }

    /// A path with a line break would be two lines to whoever reads a table of mounts.
    private static func destination(
        _ mount: Mount,
        at place: Place,
        warnings: inout [String]
    ) throws(ConfigurationProblem) -> String {
        let path = mount.destination
        guard !path.isEmpty else { throw place.expected("a path in the container", found: quoted(path)) }
        try place.wholeString(path)
        guard !path.utf8.contains(UInt8(ascii: "\n")) else {
            throw place.expected("a path without line breaks", found: quoted(path))
        }
        if !LexicalPath.isAbsolute(path) {
            warnings.append("\(place.keyPath): \(quoted(path)) is not absolute and counts from /, which is deprecated")
        }
        let cleaned = LexicalPath.cleaned(path)
        guard cleaned != "/" else { throw place.expected("a path below the container's /", found: quoted(path)) }
        return cleaned
    }

    /// Runtime-spec: `bind` and `rbind` make a bind mount whatever the type. A type of `bind` alone does so here, too.
    private static func kind(
        _ mount: Mount,
        at place: Place,
        bind: Bool?,
        isRemount: Bool
    ) throws(ConfigurationProblem) -> MountConfiguration.Kind {
        if isRemount {
            guard bind == nil else {
                throw place.member("options").problem(
                    "expected remount without bind, since options of a bind mount are applied when it is made"
                )
            }
            return .remount
        }
        if let bind { return .bind(recursive: bind) }
        let type = mount.type ?? ""
        try place.member("type").wholeString(type)
        switch type {
        case "bind": return .bind(recursive: false)
        case "cgroup", "cgroup2": return .cgroup
        case "":
            throw place.member("type").problem(
                "expected the type of a file system, since neither bind nor rbind is among the options"
            )
        default: return .fileSystem(type: type)
        }
    }

    private static func source(
        _ mount: Mount,
        at place: Place,
        kind: MountConfiguration.Kind,
        bundle: String
    ) throws(ConfigurationProblem) -> String? {
        let place = place.member("source")
        let source = mount.source ?? ""
        try place.wholeString(source)
        guard case .bind = kind else { return source.isEmpty ? nil : source }
        guard !source.isEmpty else { throw place.expected("the path of what to bind", found: quoted(source)) }
        return LexicalPath.isAbsolute(source) ? source : LexicalPath.joined(bundle, source)
    }

    /// - Parameters:
    ///   - own: From an option that brings mappings.
    ///   - recursive: `nil` if neither `idmap` nor `ridmap` is among the options.
    private static func idMapRequest(
        _ mount: Mount,
        _ own: IDMapRequest?,
        at place: Place,
        kind: MountConfiguration.Kind,
        recursive: Bool?,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) -> IDMapRequest? {
        let uids = try idMappings(mount.uidMappings, at: place.member("uidMappings"))
        let gids = try idMappings(mount.gidMappings, at: place.member("gidMappings"))
        guard uids.isEmpty == gids.isEmpty else {
            let (missing, present) = uids.isEmpty ? ("uidMappings", "gidMappings") : ("gidMappings", "uidMappings")
            throw place.member(missing).problem("expected at least one mapping, since there are \(present)")
        }
        guard recursive != nil || !uids.isEmpty || own != nil else { return nil }
        guard case .bind = kind else {
            throw place.problem("id-mapped mounts are only supported for bind-mounts; expected bind among the options")
        }
        if let own {
            guard uids.isEmpty else {
                throw place.member("uidMappings").problem("expected none beside an option idmap= with mappings")
            }
            return IDMapRequest(
                recursive: own.recursive || recursive == true,
                uidMappings: own.uidMappings,
                gidMappings: own.gidMappings
            )
        }
        guard !uids.isEmpty || container.namespaces.isSeparate(.user) else {
            throw place.member("options").problem(
                "expected uidMappings and gidMappings with idmap or ridmap, since the container has no user namespace"
            )
        }
        return IDMapRequest(recursive: recursive ?? false, uidMappings: uids, gidMappings: gids)
    }

    private static func checkOptions(
        _ options: MountOptions,
        of kind: MountConfiguration.Kind,
        at place: Place,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) {
        if case .bind = kind, let word = options.data.first {
            throw place.problem(
                "bind mounts cannot have any filesystem-specific options applied, found \(quoted(word))"
            )
        }
        if !options.links.isEmpty {
            guard case .bind = kind else {
                throw place.problem("expected copy-symlink, src-nofollow and dest-nofollow only with bind or rbind")
            }
        }
        guard !options.copiesUp || kind == .fileSystem(type: "tmpfs") else {
            throw place.problem("expected tmpcopyup only with type tmpfs")
        }
        try checkIDs(options.data, "uid=", container.uidMappings, "uidMappings", at: place)
        try checkIDs(options.data, "gid=", container.gidMappings, "gidMappings", at: place)
    }

    /// The file system is made in the container's user namespace, where an unmapped id is no id.
    private static func checkIDs(
        _ words: [String],
        _ prefix: String,
        _ mappings: [IDMapping],
        _ key: String,
        at place: Place
    ) throws(ConfigurationProblem) {
        guard !mappings.isEmpty else { return }
        for word in words where word.utf8.starts(with: prefix.utf8) {
            guard let id = UInt32(word.dropFirst(4)), !mappings.contains(containerID: id) else { continue }
            throw place.problem("cannot specify \(word) in this user namespace: \(id) is in no entry of linux.\(key)")
        }
    }
}
