// Id mappings of user namespaces and of mounts: the kernel's own rules, applied before it has to refuse.
// See user_namespaces(7), Defining user and group ID mappings.

import OCISpec

extension Validator {
    /// The kernel's limit on the lines of a uid_map.
    private static let mostMappings = 340

    static func idMappings(
        _ mappings: [OCISpec.IDMapping]?,
        at place: Place
    ) throws(ConfigurationProblem) -> [IDMapping] {
        guard let mappings, !mappings.isEmpty else { return [] }
        let checked = try place.each(mappings, idMapping)
        guard checked.count <= mostMappings else {
            throw place.expected("at most \(mostMappings) mappings", found: "\(checked.count)")
        }
        try refuseOverlap(of: checked, \.containerID, "containerID", at: place)
        try refuseOverlap(of: checked, \.hostID, "hostID", at: place)
        return checked
    }

    private static func idMapping(_ mapping: OCISpec.IDMapping, at place: Place) throws(ConfigurationProblem)
        -> IDMapping
    {
        guard mapping.size > 0 else { throw place.member("size").expected("a number from 1", found: "0") }
        for (key, first) in [("containerID", mapping.containerID), ("hostID", mapping.hostID)] {
            // The largest number is no id: it means "no change" to chown(2) and setresuid(2).
            guard UInt64(first) + UInt64(mapping.size) <= UInt64(UInt32.max) else {
                throw place.problem(
                    "expected ids up to 4294967294, found a \(key) of \(first) with a size of \(mapping.size)"
                )
            }
        }
        return IDMapping(containerID: mapping.containerID, hostID: mapping.hostID, size: mapping.size)
    }

    private static func refuseOverlap(
        of mappings: [IDMapping],
        _ first: (IDMapping) -> UInt32,
        _ key: String,
        at place: Place
    ) throws(ConfigurationProblem) {
        let order = mappings.indices.sorted { first(mappings[$0]) < first(mappings[$1]) }
        for (lower, upper) in zip(order, order.dropFirst()) {
            guard first(mappings[upper]) - first(mappings[lower]) < mappings[lower].size else { continue }
            throw place.element(max(lower, upper)).member(key).problem(
                "expected ids that no other mapping has, "
                    + "found an overlap with \(place.element(min(lower, upper)).keyPath)"
            )
        }
    }
}

extension [IDMapping] {
    /// Whether the container's `id` is one of the machine's.
    func contains(containerID id: UInt32) -> Bool {
        contains { $0.containerID <= id && id - $0.containerID < $0.size }
    }
}
