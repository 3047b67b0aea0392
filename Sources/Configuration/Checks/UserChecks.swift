// Who the process runs as, and the limits it runs under.

import OCISpec

extension Validator {
    /// The kernel's NGROUPS_MAX.
    private static let mostGroups = 65536

    static func user(
        _ user: User,
        at place: Place,
        in container: ContainerConfiguration,
        facts: HostFacts
    ) throws(ConfigurationProblem) -> UserConfiguration {
        try checkID(user.uid, "user", mappings: container.uidMappings, "uidMappings", at: place.member("uid"))
        try checkID(user.gid, "group", mappings: container.gidMappings, "gidMappings", at: place.member("gid"))
        if let umask = user.umask { _ = try place.member("umask").number(umask, in: 0...0o777) }
        let groups = user.additionalGids ?? []
        let groupsPlace = place.member("additionalGids")
        guard groups.count <= mostGroups else {
            throw groupsPlace.expected("at most \(mostGroups) groups", found: "\(groups.count)")
        }
        for (index, group) in groups.enumerated() {
            try checkID(
                group,
                "group",
                mappings: container.gidMappings,
                "gidMappings",
                at: groupsPlace.element(index)
            )
        }
        try checkRootlessGroups(groups, at: groupsPlace, in: container, facts: facts)
        return UserConfiguration(uid: user.uid, gid: user.gid, umask: user.umask, additionalGroups: groups)
    }

    /// An empty list of mappings is that of a container that shares or joins a user namespace.
    private static func checkID(
        _ id: UInt32,
        _ kind: String,
        mappings: [IDMapping],
        _ key: String,
        at place: Place
    ) throws(ConfigurationProblem) {
        guard id != UInt32.max else { throw place.expected("a number from 0 to 4294967294", found: "\(id)") }
        guard mappings.isEmpty || mappings.contains(containerID: id) else {
            let verb = kind == "user" ? "uid" : "gid"
            throw place.problem(
                "cannot set \(verb) to unmapped \(kind) in user namespace: \(id) is in no entry of linux.\(key)"
            )
        }
    }

    static func limits(
        _ limits: [OCISpec.ResourceLimit]?,
        at place: Place
    ) throws(ConfigurationProblem) -> [ResourceLimit] {
        var checked: [ResourceLimit] = []
        for (index, limit) in (limits ?? []).enumerated() {
            let place = place.element(index)
            let number = Int32(try place.member("type").index(of: limit.type, in: ResourceLimitTable.names))
            guard !checked.contains(where: { $0.resource == number }) else {
                throw place.member("type").problem("expected each limit once, found \(limit.type) again")
            }
            guard limit.soft <= limit.hard else {
                throw place.member("soft").expected("at most the hard limit, \(limit.hard)", found: "\(limit.soft)")
            }
            checked.append(ResourceLimit(name: limit.type, resource: number, soft: limit.soft, hard: limit.hard))
        }
        return checked
    }
}
