// Which process makes or enters which namespace. Pure; the base of all three lists in Birth.swift.

internal import Configuration
internal import KernelTypes

/// The division of the namespaces among the processes of a birth.
struct NamespacePlan {
    /// Made by the clone that bears init: only what it must be born in.
    let createdByClone: [NamespaceKind]
    /// Made by init itself: a network namespace takes as long as all mounts, and the runtime has other things to do.
    let createdByInit: [NamespaceKind]
    /// Entered by init itself, in this order.
    let joinedByInit: [NamespaceKind]
    /// Entered before init is born, in this order; see `needsIntermediate`.
    let joinedByIntermediate: [NamespaceKind]
    /// An entered pid or time namespace holds only the children of who entered it; clocks must be set before anybody is
    /// in a new time namespace; an entered user namespace must own what init's clone makes; and a new user namespace
    /// has no power over namespaces made outside it.
    let needsIntermediate: Bool
    /// A new time namespace must belong to the new user namespace, and the clocks be set by its root.
    let intermediateMakesUser: Bool
    /// Making v1 cgroups takes as long as making the mounts: so init is born first and joins them when they are ready. A
    /// v2 cgroup is one that init is born in, and what an intermediate enters its children are born in.
    let cgroupsFollowInit: Bool

    init(_ c: ContainerConfiguration, _ f: HostFacts, _ r: LaunchRequest) {
        let namespaces = c.namespaces
        // ORDER: the cgroup namespace is made by init, when it is in the container's cgroup; time by the intermediate.
        let intermediateMakesUser = namespaces.creates(.user) && namespaces.creates(.time)
        // The runtime moves devices into a network namespace that must be there.
        let early: [NamespaceKind] = c.netDevices.isEmpty ? [.pid, .user] : [.pid, .user, .network]
        createdByClone = NamespaceKind.allCases.filter { kind in
            namespaces.creates(kind) && early.contains(kind) && !(kind == .user && intermediateMakesUser)
        }
        createdByInit = NamespaceKind.allCases.filter { kind in
            namespaces.creates(kind) && !early.contains(kind) && kind != .cgroup && kind != .time
        }
        self.intermediateMakesUser = intermediateMakesUser
        needsIntermediate =
            namespaces.joins(.pid) || namespaces.joins(.time) || namespaces.creates(.time) || namespaces.joins(.user)
            || (namespaces.creates(.user) && !namespaces.joined.isEmpty)
        let others = namespaces.joined.map(\.kind).filter { $0 != .user }
        let user: [NamespaceKind] = namespaces.joins(.user) ? [.user] : []
        cgroupsFollowInit =
            !needsIntermediate && !f.isRootless && r.cgroupDriver == .cgroupfs
            && [.legacy, .hybrid].contains(f.cgroupMode)
        // ORDER: the machine's root enters the user namespace last, while it still has power over all the others; an
        // ordinary user enters it first, because that is what gives power over them.
        let ordered = f.isRootless ? user + others : others + user
        joinedByIntermediate = needsIntermediate ? ordered : []
        joinedByInit = needsIntermediate ? [] : ordered
    }
}
