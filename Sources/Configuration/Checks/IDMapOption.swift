// `idmap=uids=...;gids=...`: mappings of a mount's own among its options, as crun reads them and podman passes them on.
// crun(1), ID mapped mounts.

import OCISpec

extension Validator {
    /// The mappings that an option brings; `nil` for a word that is no such option.
    ///
    /// A range is `A-B-C`: the ids of the file system from A on are seen as those from B on, C of them; `#` separates ranges.
    /// Behind `@` B counts in the container's user namespace.
    static func idMapOption(
        _ word: String,
        at place: Place,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) -> IDMapRequest? {
        let (name, value) = word.cut(atFirst: "=")
        guard name == "idmap" || name == "ridmap" else { return nil }
        var uids: [OCISpec.IDMapping] = []
        var gids: [OCISpec.IDMapping] = []
        for part in value.split(separator: ";" as Character, omittingEmptySubsequences: false) {
            let (kind, ranges) = String(part).cut(atFirst: "=")
            switch kind {
            case "uids": uids += try mappings(ranges, container.uidMappings, word, at: place)
            case "gids": gids += try mappings(ranges, container.gidMappings, word, at: place)
            default: throw malformed(word, at: place)
            }
        }
        guard !uids.isEmpty, !gids.isEmpty else { throw malformed(word, at: place) }
        return IDMapRequest(
            recursive: name == "ridmap",
            uidMappings: try idMappings(uids, at: place),
            gidMappings: try idMappings(gids, at: place)
        )
    }

    private static func mappings(
        _ ranges: String,
        _ own: [IDMapping],
        _ word: String,
        at place: Place
    ) throws(ConfigurationProblem) -> [OCISpec.IDMapping] {
        var mappings: [OCISpec.IDMapping] = []
        for range in ranges.split(separator: "#" as Character, omittingEmptySubsequences: false) {
            let isRelative = range.first == "@"
            let numbers = (isRelative ? range.dropFirst() : range)
                .split(separator: "-" as Character, omittingEmptySubsequences: false).map { UInt32($0) }
            guard numbers.count == 3, let first = numbers[0], let second = numbers[1], let size = numbers[2], size > 0
            else { throw malformed(word, at: place) }
            var host = second
            if isRelative {
                guard let base = own.first(where: { $0.containerID <= second && second - $0.containerID < $0.size })
                else {
                    throw place.problem(
                        "\(quoted(word)): the id \(second) is in no mapping of the container's user namespace"
                    )
                }
                host = base.hostID + (second - base.containerID)
            }
            mappings.append(OCISpec.IDMapping(containerID: first, hostID: host, size: size))
        }
        return mappings
    }

    private static func malformed(_ word: String, at place: Place) -> ConfigurationProblem {
        place.expected("idmap=uids=A-B-C;gids=A-B-C, with # between several ranges", found: quoted(word))
    }
}

extension String {
    /// What is before and after the first separator; nothing is after when there is none.
    fileprivate func cut(atFirst separator: Unicode.Scalar) -> (before: String, after: String) {
        guard let index = utf8.firstIndex(of: UInt8(ascii: separator)) else { return (self, "") }
        return (String(self[..<index]), String(self[utf8.index(after: index)...]))
    }
}
