// The birth of a container, and its end: the ordered lists, and nothing else. Read this file first.
//
// create: the runtime and init work side by side; `tell` and `waitFor` are where they meet. The intermediate exists
// only when something must be entered before init is born. Where the order matters, an ORDER line says why.

package import Configuration
internal import Confinement
internal import KernelTypes
internal import Rootfs

/// The lists of steps, as functions of what is asked and of what the machine is.
package enum Birth {
    /// create, in the runtime process.
    static func runtimeSteps(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ r: LaunchRequest,
        _ limits: LimitPlan,
        cgroups: CgroupDirectories
    ) -> [RuntimeStep] {
        let plan = NamespacePlan(c, f, r)
        var steps: [RuntimeStep] = []

        // ORDER: the record names what will exist before any of it does: from here on `delete` can clean up.
        steps += [.reserveID(r.id), .recordPlan]
        if r.notifies { steps.append(.makeNoticeDirectory) }

        // What needs the runtime's powers or its view of the host.
        steps += c.namespaces.joined.map { .openNamespace($0.kind, path: $0.path) }
        if let label = c.process?.selinuxLabel { steps.append(.checkLabel(label, key: "process.selinuxLabel")) }
        if let label = c.mountLabel { steps.append(.checkLabel(label, key: "linux.mountLabel")) }
        if let seccomp = c.seccomp { steps.append(.compileFilter(rules: seccomp.ruleCount)) }
        let isScoped = r.cgroupDriver == .systemd
        if plan.cgroupsFollowInit {
            steps.append(.createBirthplace(cgroups.unified))
        } else if !cgroups.all.isEmpty && !isScoped {
            steps += [.createCgroup(cgroups.all), .limitResources]
            if let uid = c.cgroupOwner(f) { steps.append(.delegateCgroup(uid: uid)) }
            steps.append(.openCgroup)
        }
        let sources = RootfsPlan.sources(c, f)
        if !sources.isEmpty { steps.append(.openMountSources(count: sources.count)) }
        switch r.console {
        case .none: break
        case .socket(let path): steps.append(.connectConsole(path: path))
        case .foreground: steps.append(.makeConsoleSocket)
        }
        if r.gate == .fifo { steps.append(.makeGate) }

        // Init is born.
        // ORDER: systemd makes a scope around a process that exists; it waits, and does nothing without its limits.
        var scope: [RuntimeStep] = []
        if isScoped {
            scope = [.startScope(cgroups.all), .limitResources]
            if let uid = c.cgroupOwner(f) { scope.append(.delegateCgroup(uid: uid)) }
            scope.append(.tell(.placed))
        }
        if plan.needsIntermediate {
            steps.append(.cloneIntermediate)
            steps += scope
            if plan.intermediateMakesUser { steps += [.waitFor(.unmapped), .mapIDs, .tell(.mapped)] }
            steps += [.waitFor(.born), .findInit]
        } else {
            steps.append(.cloneInit(plan.createdByClone))
            steps += scope
        }
        // ORDER: from outside, where the power to lower it is, and before init has other ids.
        if let value = c.process?.oomScoreAdjustment { steps.append(.setOOMScoreAdjustment(value)) }
        if plan.createdByClone.contains(.user) { steps += [.mapIDs, .tell(.mapped)] }
        // ORDER: before hooks and sysctls, which may be about these devices.
        if !c.netDevices.isEmpty { steps += c.netDevices.map(RuntimeStep.moveNetDevice) + [.tell(.networked)] }
        // ORDER: while init mounts. It waits before anything of the container's own is run or seen.
        if plan.cgroupsFollowInit { steps += [.createCgroup(cgroups.legacy), .limitResources, .openCgroup] }
        // ORDER: who is in the cgroups is on record: a deletion kills nobody there that it does not know.
        steps.append(.recordInit)
        if plan.cgroupsFollowInit { steps.append(.tell(.placed)) }
        steps.append(.tell(.recorded))

        if needsRuntimeHooks(c) {
            steps.append(.waitFor(.mountsReady))
            steps += hooks(.prestart, c) + hooks(.createRuntime, c)
            steps.append(.tell(.hooksDone))
        }
        if let seccomp = c.seccomp, let path = seccomp.listenerPath, seccomp.notifies {
            steps += [.waitFor(.listenerReady), .passListener(path: path), .tell(.listenerSent)]
        }
        steps.append(.waitFor(.ready))
        // ORDER: when init only waits; a low limit would otherwise hit the runtime's own work in it.
        if limits.setter == .runtime { steps += limits.limits.map(RuntimeStep.setLimit) }
        if let path = r.pidfdSocket { steps.append(.sendPidfd(path: path)) }
        steps.append(.recordCreated)
        // ORDER: last, because callers take the file for the news that the container is created.
        if let path = r.pidFile { steps.append(.writePIDFile(path: path)) }
        return steps
    }

    /// create, in the intermediate process; empty when there is none.
    static func intermediateSteps(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ r: LaunchRequest
    ) -> [IntermediateStep] {
        let plan = NamespacePlan(c, f, r)
        guard plan.needsIntermediate else { return [] }
        // ORDER: while it still has the runtime's powers over cgroups.
        var steps: [IntermediateStep] = [.dieWithParent, r.cgroupDriver == .systemd ? .waitFor(.placed) : .joinCgroup]
        // ORDER: an ordinary user's runtime could not map the ids of a process that hides from it.
        if !(c.namespaces.creates(.user) && f.isRootless) { steps.append(.becomeUntraceable) }
        for kind in plan.joinedByIntermediate {
            steps.append(.enterNamespace(kind))
            if kind == .user { steps.append(.becomeRoot) }
        }
        if plan.intermediateMakesUser {
            steps += [.newUserNamespace, .tell(.unmapped), .waitFor(.mapped), .becomeRoot]
        }
        if c.namespaces.creates(.time) { steps.append(.newTimeNamespace(c.timeOffsets)) }
        steps += [.cloneInit(plan.createdByClone), .tell(.born)]
        return steps
    }

    /// create, in init.
    static func initSteps(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ r: LaunchRequest,
        _ limits: LimitPlan,
        _ confinement: ConfinementPlan?
    ) -> [InitStep] {
        let plan = NamespacePlan(c, f, r)
        var steps: [InitStep] = []
        // A step is large, and an ordinary container has about this many: grown by doubling, they would be copied often.
        steps.reserveCapacity(72)

        // Become nobody's child.
        steps += [.dieWithParent, .resetSignals, .newSession]
        if !c.namespaces.joined.isEmpty && !plan.needsIntermediate { steps.append(.becomeUntraceable) }
        // ORDER: the cgroup before its namespace, whose root is where the process is when it is made.
        if !plan.needsIntermediate && !plan.cgroupsFollowInit {
            steps.append(r.cgroupDriver == .systemd ? .waitFor(.placed) : .joinCgroup)
        }
        if plan.createdByClone.contains(.user) { steps += [.waitFor(.mapped), .becomeRoot] }
        if !plan.createdByInit.isEmpty { steps.append(.newNamespaces(plan.createdByInit)) }
        steps += plan.joinedByInit.map(InitStep.enterNamespace)
        if c.namespaces.creates(.cgroup) && !plan.cgroupsFollowInit { steps.append(.newCgroupNamespace) }
        if c.namespaces.creates(.network) { steps.append(.bringUpLoopback) }
        if let name = c.hostname { steps.append(.setHostname(name)) }
        if let name = c.domainname { steps.append(.setDomainname(name)) }
        steps += confine(confinement?.beforeRootfs)

        // Build the root, still seen from the host's tree.
        steps += buildRoot(c, f, plan)
        if c.process?.terminal == true { steps.append(.makeConsole) }
        if !c.netDevices.isEmpty { steps.append(.waitFor(.networked)) }
        if needsRuntimeHooks(c) { steps += [.tell(.mountsReady), .waitFor(.hooksDone)] }
        // ORDER: a hook may take its time, and whatever it starts is in the cgroup.
        let hasHooks = !c.hooks[.createContainer].isEmpty
        if hasHooks { steps.append(.waitFor(.recorded)) }
        steps += hooks(.createContainer, c)

        // Enter it.
        steps.append(.rootfs(RootfsPlan.pivot(c, noPivot: r.noPivot)))
        // ORDER: sysctls before the paths that hold them become read-only.
        steps += confine(confinement?.insideRootfs)
        // ORDER: a missing working directory is made while the root can still be written.
        if let directory = c.process?.workingDirectory { steps.append(.makeWorkingDirectory(directory)) }
        steps += RootfsPlan.afterPivot(c).map(InitStep.rootfs)

        if !hasHooks { steps.append(.waitFor(.recorded)) }
        // ORDER: before the ids change, which clears the parent-death signal unseen.
        steps.append(.surviveParent)
        // ORDER: before limits and filters that could keep it from closing.
        steps.append(.closeDescriptors)
        // ORDER: while the ids are still the runtime's.
        if limits.setter == .initial { steps += limits.limits.map(InitStep.setLimit) }
        steps += surrender(c, confinement)
        // ORDER: the start gate after everything that can fail without the program.
        steps += [.tell(.ready), .waitForStart]
        steps += hooks(.startContainer, c)
        if let process = c.process, let program = process.arguments.first { steps.append(.execute(program)) }
        return steps
    }

    /// The mounts, and among them the moment when the cgroups are ready: before a mount that shows or fills them.
    private static func buildRoot(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ plan: NamespacePlan
    ) -> [InitStep] {
        let mounts = RootfsPlan.beforePivot(c, f)
        guard plan.cgroupsFollowInit else { return mounts.map(InitStep.rootfs) }
        var entry: [InitStep] = [.waitFor(.placed), .joinCgroup]
        // ORDER: the cgroup before its namespace, whose root is where the process is when it is made.
        if c.namespaces.creates(.cgroup) { entry.append(.newCgroupNamespace) }
        let place = mounts.firstIndex(where: \.needsCgroup) ?? mounts.count
        return mounts[..<place].map(InitStep.rootfs) + entry + mounts[place...].map(InitStep.rootfs)
    }

    /// Becoming the container's user with the container's powers: the tail that create and exec share.
    static func surrender(_ c: ContainerConfiguration, _ confinement: ConfinementPlan?) -> [InitStep] {
        guard let process = c.process, let confinement else { return [] }
        let directory = process.workingDirectory
        var steps: [InitStep] = []
        steps += confine(confinement.restrictions)
        // ORDER: without no_new_privs loading a filter needs CAP_SYS_ADMIN, so it comes before the powers go.
        steps += filter(confinement.filterBeforeDrop, c)
        steps.append(.changeDirectory(directory, allowRefusal: true))
        steps += confine(confinement.privilegeDrop)
        steps += [.changeDirectory(directory, allowRefusal: false), .verifyWorkingDirectory, .completeEnvironment]
        if let program = process.arguments.first { steps.append(.findProgram(program)) }
        // ORDER: with no_new_privs it comes last, so that the profile need not allow any of the above.
        steps += filter(confinement.filterLast, c)
        return steps
    }

    static func confine(_ steps: [ConfinementStep]?) -> [InitStep] {
        (steps ?? []).map(InitStep.confine)
    }

    private static func filter(_ steps: [ConfinementStep], _ c: ContainerConfiguration) -> [InitStep] {
        guard !steps.isEmpty, c.seccomp?.notifies == true else { return confine(steps) }
        return confine(steps) + [.announceListener, .waitFor(.listenerSent)]
    }

    /// start.
    /// - Parameter notifies: Whether the container has a socket for notices.
    package static func startSteps(poststart: [Hook], notifies: Bool = false) -> [StartStep] {
        // ORDER: the socket before the program that writes to it.
        (notifies ? [.listenForNotices] : []) + [.openGate, .openTheWay, .waitForExecution]
            + poststart.enumerated().map { .hook(.poststart, index: $0.offset, $0.element) }
            // ORDER: last, because it may take as long as the program likes.
            + (notifies ? [.waitForReadiness] : [])
    }

    /// delete.
    package static func deletionSteps(poststop: [Hook]) -> [DeletionStep] {
        // ORDER: the record goes last, when nothing is left that it describes.
        [.endProcesses, .removeCgroup]
            + poststop.enumerated().map { .hook(.poststop, index: $0.offset, $0.element) }
            + [.removeRecord]
    }

    private static func needsRuntimeHooks(_ c: ContainerConfiguration) -> Bool {
        !c.hooks[.prestart].isEmpty || !c.hooks[.createRuntime].isEmpty
    }

    private static func hooks(_ point: HookPoint, _ c: ContainerConfiguration) -> [RuntimeStep] {
        c.hooks[point].enumerated().map { .hook(point, index: $0.offset, $0.element) }
    }

    private static func hooks(_ point: HookPoint, _ c: ContainerConfiguration) -> [InitStep] {
        c.hooks[point].enumerated().map { .hook(point, index: $0.offset, $0.element) }
    }
}
