// The birth of a further process in a container (`exec`): the ordered lists, and nothing else. It has the vocabulary
// and the tail (`Birth.surrender`) of create; there is no root to build, and all namespaces are entered at once.

internal import Configuration
internal import Confinement
internal import KernelTypes

extension Birth {
    /// Whether the new process waits with its program for something that the runtime does only when it is in the container. It
    /// need not, most of the time, and being woken twice is a thirtieth of an exec.
    private static func waitsForStart(_ r: LaunchRequest, _ limits: LimitPlan) -> Bool {
        limits.setter == .runtime && !limits.limits.isEmpty || r.pidfdSocket != nil || r.console != .none
    }

    /// exec, in the runtime process.
    static func execSteps(
        _ c: ContainerConfiguration,
        _ e: ContainerEntry,
        _ r: LaunchRequest,
        _ limits: LimitPlan
    ) -> [ExecStep] {
        var steps: [ExecStep] = []
        let process = c.process

        // What needs the runtime's powers or its view of the host.
        if let label = process?.selinuxLabel { steps.append(.checkLabel(label, key: "process.selinuxLabel")) }
        if let seccomp = c.seccomp { steps.append(.compileFilter(rules: seccomp.ruleCount)) }
        if !e.cgroups.isEmpty && !e.isPlacedBySystemd { steps.append(.openCgroup(e.cgroups)) }
        switch r.console {
        case .none: break
        case .socket(let path): steps.append(.connectConsole(path: path))
        case .foreground: steps.append(.makeConsoleSocket)
        }
        // ORDER: before the clone, which may be into the cgroup.
        if let cpus = process?.execAffinity?.initial { steps.append(.setAffinity(cpus)) }

        // The process is born, and does its own list.
        if e.needsIntermediate {
            steps.append(.cloneIntermediate)
            if e.isPlacedBySystemd { steps += [.attachToScope(e.cgroups), .tell(.placed)] }
            steps += [.waitFor(.born), .findProcess]
        } else {
            // ORDER: the container's processes see it as soon as it is born.
            steps.append(.becomeUntraceable)
            if e.kinds.contains(.pid) { steps.append(.enterPIDNamespace) }
            steps.append(.cloneProcess)
            if let value = process?.oomScoreAdjustment { steps.append(.setOOMScoreAdjustment(value)) }
        }
        if let seccomp = c.seccomp, let path = seccomp.listenerPath, seccomp.notifies {
            steps += [.waitFor(.listenerReady), .passListener(path: path), .tell(.listenerSent)]
        }
        if waitsForStart(r, limits) {
            steps.append(.waitFor(.ready))
            // ORDER: when the process only waits; a low limit would otherwise hit the runtime's own work in it.
            if limits.setter == .runtime { steps += limits.limits.map(ExecStep.setLimit) }
            if let path = r.pidfdSocket { steps.append(.sendPidfd(path: path)) }
            steps.append(.tell(.start))
        }
        steps.append(.waitForExecution)
        // ORDER: last: callers take a missing file for the news that the program did not run.
        if let path = r.pidFile { steps.append(.writePIDFile(path: path)) }
        return steps
    }

    /// exec, in the intermediate process; empty when there is none.
    static func execIntermediateSteps(_ c: ContainerConfiguration, _ e: ContainerEntry) -> [IntermediateStep] {
        guard e.needsIntermediate else { return [] }
        var steps: [IntermediateStep] = [.dieWithParent]
        // ORDER: the files of an untraceable process are root's.
        if let value = c.process?.oomScoreAdjustment { steps.append(.setOOMScoreAdjustment(value)) }
        steps += [e.isPlacedBySystemd ? .waitFor(.placed) : .joinCgroup, .becomeUntraceable, .joinContainer(e.kinds)]
        if e.kinds.contains(.user) { steps.append(.becomeRoot) }
        return steps + [.cloneInit([]), .tell(.born)]
    }

    /// exec, in the new process.
    static func execInitSteps(
        _ c: ContainerConfiguration,
        _ e: ContainerEntry,
        _ r: LaunchRequest,
        _ limits: LimitPlan,
        _ confinement: ConfinementPlan?
    ) -> [InitStep] {
        var steps: [InitStep] = [.dieWithParent, .resetSignals, .newSession]
        // ORDER: the cgroup while the runtime's powers over it are there. It also comes before the namespaces because
        // those can be entered only while the container lives: nothing stays in the cgroup of one that has ended.
        if !e.needsIntermediate { steps.append(.joinCgroup) }
        if let cpus = c.process?.execAffinity?.final { steps.append(.setAffinity(cpus)) }
        if !e.needsIntermediate {
            let kinds = e.kinds.filter { $0 != .pid }
            if !kinds.isEmpty { steps.append(.joinContainer(kinds)) }
            if kinds.contains(.user) { steps.append(.becomeRoot) }
        }
        steps += confine(confinement?.beforeRootfs)
        if c.process?.terminal == true { steps.append(.makeTerminal) }
        steps += confine(confinement?.insideRootfs)
        // ORDER: before the ids change, which clears the parent-death signal unseen. From here on the end of the
        // channel tells that the runtime is gone.
        steps.append(.surviveParent)
        // ORDER: before limits and filters that could keep it from closing.
        steps.append(.closeDescriptors)
        // ORDER: while the ids are still the runtime's.
        if limits.setter == .initial { steps += limits.limits.map(InitStep.setLimit) }
        steps += surrender(c, confinement)
        if waitsForStart(r, limits) { steps += [.tell(.ready), .waitForStart] }
        if let program = c.process?.arguments.first { steps.append(.execute(program)) }
        return steps
    }
}
