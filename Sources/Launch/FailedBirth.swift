// When a birth fails: what is known of an init that ended without a word, and how everything is taken back. Called by
// RuntimeSide and by `run`, whose start may fail after a creation that worked.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import LinuxSystem
internal import Records

extension RuntimeSide {
    /// Takes the whole birth back, because a step after it failed.
    package func rollBack(after failure: Failure) -> Failure {
        var failure = failure
        if failure.isHookFailure { runPoststopHooks() }
        // Processes first, whatever the order of the steps: a cgroup stays while one is in it, and systemd
        // would wait for them.
        undo = undo.filter { $0 != .endProcesses } + undo.filter { $0 == .endProcesses }
        var isClean = true
        while let act = undo.popLast() {
            // The record is how `delete` finds what could not be removed.
            if act == .removeRecord && !isClean { continue }
            do throws(Failure) {
                log.begin(act: "undo", act.name)
                defer { log.end(.runtime) }
                try perform(act)
            } catch {
                isClean = false
                failure = failure.hinting(
                    "cleaning up failed too: \(error.line); apus delete --force \(request.id) tries it again"
                )
            }
        }
        return failure
    }

    private func perform(_ act: RuntimeStep.Undo) throws(Failure) {
        switch act {
        case .endProcesses: try endInit()
        case .removeCgroup: try cgroup.takeBack(deadline: Deadline.cleanup)
        case .removeRecord: try resources.directory?.remove()
        case .removePIDFile(let path): try PIDFile.remove(path)
        case .takeNetDevicesBack: try resources.networkDevices?.takeBack()
        }
    }

    func reapIntermediate() throws(Failure) {
        guard !intermediatePIDFD.isEmpty else { return }
        _ = try attempt("wait for the intermediate process", .waitid) { () throws(Errno) in
            try Processes.reap(pidfd: intermediatePIDFD[0])
        }
        intermediatePIDFD.closeAll()
    }

    private func endInit() throws(Failure) {
        if !intermediatePIDFD.isEmpty {
            try? Processes.signal(intermediatePIDFD[0], 9)
            try reapIntermediate()
            // Of an init that it had made just then nobody knows the number.
            resources.hangUp()
        }
        guard !initPIDFD.isEmpty else {
            // A child that has no descriptor yet: until it is reaped its number is nobody else's.
            guard initPID > 0 else { return }
            try? Processes.kill(pid: initPID, 9)
            _ = try? Processes.reap(pid: initPID)
            return
        }
        try? Processes.signal(initPIDFD[0], 9)
        // Reaped already when its death was explained.
        _ = try? Processes.reap(pidfd: initPIDFD[0])
    }

    private func runPoststopHooks() {
        for (index, hook) in configuration.hooks[.poststop].enumerated() {
            log.begin(act: "hook", "poststop[\(index)] \(hook.path)")
            defer { log.end(.runtime) }
            do throws(Failure) {
                try HookRunner.run(hook, .poststop, index: index, of: hookState, status: "stopped", pid: nil)
            } catch {
                log.warning(error.line)
            }
        }
    }

    /// What can be known of an init that ended without a word.
    func explainDeath(waitingFor expected: String) -> Failure {
        let text = resources.describeDeath(
            waitingFor: expected,
            initPIDFD,
            initial: plan.initial.map(\.name),
            intermediate: plan.intermediate.map(\.name)
        )
        return MemoryKills(cgroup, isNew: true).failure(of: "container init", text, subject: request.id)
    }
}

extension Failure {
    /// Whether execve refused the program: it has said so on its standard error, and ends with status 1 like any other, as
    /// in runc and crun. Who started it goes on; docker and podman leave things behind where that fails.
    package var isOfProgram: Bool { step?.name == "execute" }

    /// Whether a hook is to blame; then the spec wants the poststop hooks run.
    fileprivate var isHookFailure: Bool { step?.name == "hook" }
}
