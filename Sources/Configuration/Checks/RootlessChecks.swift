// What only root may do without a user namespace. What cgroups allow an ordinary user is found out by Cgroups.

import KernelTypes

extension Validator {
    /// An ordinary user is somebody whose effective user id is not 0 in the namespace the runtime was started in.
    static func checkRootless(
        _ container: ContainerConfiguration,
        facts: HostFacts
    ) throws(ConfigurationProblem) {
        guard facts.effectiveUserID != 0, !container.namespaces.isSeparate(.user) else { return }
        throw Place(keyPath: "linux.namespaces").problem(
            "rootless container requires user namespaces: user \(facts.effectiveUserID) runs the runtime; "
                + "expected one of type user with uidMappings and gidMappings"
        )
    }

    /// An ordinary user may only map one group id without help, and then the kernel forbids setgroups(2).
    static func checkRootlessGroups(
        _ groups: [UInt32],
        at place: Place,
        in container: ContainerConfiguration,
        facts: HostFacts
    ) throws(ConfigurationProblem) {
        let mappings = container.gidMappings
        guard facts.effectiveUserID != 0, !groups.isEmpty, mappings.count == 1, mappings[0].size == 1 else { return }
        throw place.problem(
            "cannot set any additional groups in a rootless container whose user namespace maps one group id"
        )
    }
}
