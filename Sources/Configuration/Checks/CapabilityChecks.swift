// Capability sets. Runtime-spec: config.md, Linux Process: what cannot be granted is worth a warning and no error.

import OCISpec

extension Validator {
    /// Returns the sets without what the kernel would refuse, and adds a warning for each name that was left out.
    static func capabilities(
        _ sets: OCISpec.CapabilitySets?,
        at place: Place,
        warnings: inout [String]
    ) -> CapabilitySets {
        var checked = CapabilitySets()
        guard let sets else { return checked }
        checked.bounding = capabilitySet(sets.bounding, at: place.member("bounding"), warnings: &warnings)
        checked.permitted = capabilitySet(sets.permitted, at: place.member("permitted"), warnings: &warnings)
        checked.effective = capabilitySet(
            sets.effective,
            at: place.member("effective"),
            within: checked.permitted,
            "permitted",
            warnings: &warnings
        )
        checked.inheritable = capabilitySet(
            sets.inheritable,
            at: place.member("inheritable"),
            within: checked.bounding,
            "bounding",
            warnings: &warnings
        )
        let ambient = capabilitySet(sets.ambient, at: place.member("ambient"), warnings: &warnings)
        checked.ambient = ambient.intersection(checked.permitted).intersection(checked.inheritable)
        checked.voidAmbient = ambient.subtracting(checked.ambient)
        return checked
    }

    /// - Parameter limit: What the kernel allows the set to hold; see capabilities(7), Programmatically adjusting
    ///   capability sets.
    private static func capabilitySet(
        _ names: [String]?,
        at place: Place,
        within limit: CapabilitySet? = nil,
        _ limitName: String = "",
        warnings: inout [String]
    ) -> CapabilitySet {
        var set = CapabilitySet()
        var beyond = ""
        var beyondCount = 0
        for name in names ?? [] {
            guard let capability = CapabilitySet(name: name) else {
                warnings.append("\(place.keyPath): \(quoted(name)) cannot be granted: no such capability is known")
                continue
            }
            guard limit?.contains(capability) ?? true else {
                beyond += beyond.isEmpty ? name : ", \(name)"
                beyondCount += 1
                continue
            }
            set.insert(capability)
        }
        // One line for all of a set.
        if !beyond.isEmpty {
            let subject = beyondCount == 1 ? "it is" : "they are"
            warnings.append("\(place.keyPath): \(beyond) cannot be granted: \(subject) not in \(limitName)")
        }
        return set
    }
}
