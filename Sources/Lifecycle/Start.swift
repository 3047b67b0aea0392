// `start`: lets a created container's process through its gate, and hears whether its program runs.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import Launch
internal import LinuxSystem
internal import OCISpec
internal import Records

/// `start`.
package enum Start {
    /// Starts the program of a created container.
    /// - Parameter notifySocket: The service manager's; `nil` for the one that create was told of.
    package static func run(id: String, notifySocket: String?, _ context: RuntimeContext) throws(Failure) {
        let directory = try context.open(id, lock: .exclusive)
        guard let record = try context.record(in: directory) else {
            throw Failure(
                "cannot start container \(id): its creation was interrupted",
                .wrongState,
                subject: id,
                hint: "apus delete --force \(id)"
            )
        }
        let status = try context.status(of: record, in: directory, isLocked: true)
        if status == .running {
            throw Failure("cannot start an already running container: \(id)", .wrongState, subject: id)
        }
        if status == .stopped {
            throw Failure("cannot start a container that has stopped: \(id)", .wrongState, subject: id)
        }
        if status != .created {
            throw Failure("cannot start container \(id): it is \(status.rawValue)", .wrongState, subject: id)
        }
        guard record.hasProcess else {
            throw Failure(
                "cannot start container \(id): its config.json had no process section",
                .wrongState,
                subject: id
            )
        }
        // A container that was made without a socket has no way to say that it is ready.
        let manager = record.notifySocket.map { notifySocket ?? $0 }
        let starter = Starter(record, directory, manager, context.log)
        let steps = Birth.startSteps(poststart: record.poststart.map(\.hook), notifies: manager != nil)
        for (index, step) in steps.enumerated() {
            context.log.begin(.runtime, index + 1, of: steps.count, step.name, step.detail)
            do throws(Failure) {
                defer { context.log.end(.runtime) }
                try starter.perform(step)
            } catch {
                let failure = error.stamped(StepName(index: index + 1, name: step.name), .runtime, about: step.subject)
                // A startContainer hook fails in init, a poststart hook here.
                if failure.step?.name == "hook" { return try end(record, directory, context, after: failure) }
                if failure.isOfProgram { return context.log.quietWarnings([failure.line]) }
                throw failure
            }
        }
    }

    /// Runtime-spec: runtime.md, Lifecycle: a hook that fails ends the container.
    private static func end(
        _ record: ContainerRecord,
        _ directory: ContainerDirectory,
        _ context: RuntimeContext,
        after failure: Failure
    ) throws(Failure) {
        do throws(Failure) {
            try Deletion(record, directory, context.log).run()
        } catch {
            throw failure.hinting("the container could not be removed: \(error.line)")
        }
        throw failure
    }
}

/// Performs the steps of `start`.
private final class Starter {
    private let record: ContainerRecord
    private let directory: ContainerDirectory
    private let manager: String?
    private let log: Log
    private var start: OwnedFD?
    private var report: OwnedFD?
    private var proxy: NotifyProxy?
    private var process: OwnedFD?

    init(_ record: ContainerRecord, _ directory: ContainerDirectory, _ manager: String?, _ log: Log) {
        self.manager = manager
        self.log = log
        self.record = record
        self.directory = directory
    }

    func perform(_ step: StartStep) throws(Failure) {
        switch step {
        case .openGate: try openGate()
        case .openTheWay: try openTheWay()
        case .waitForExecution: try waitForExecution()
        case .hook(let point, let index, let hook):
            try HookRunner.run(
                hook,
                point,
                index: index,
                of: record.hookState,
                status: "running",
                pid: record.pid
            )
        case .listenForNotices: try listenForNotices()
        case .waitForReadiness: try waitForReadiness()
        }
    }

    private func died(_ text: String) -> Failure {
        let kills = MemoryKills(record.cgroups.placement.makeManager(), isNew: true)
        return kills.failure(of: "container init", text, subject: record.id)
    }

    private func openGate() throws(Failure) {
        guard let gate = try directory.openGate() else {
            throw died("cannot start container \(record.id): its process ended before it was started")
        }
        let (start, report) = gate.release()
        self.start = OwnedFD(adopting: start)
        self.report = OwnedFD(adopting: report)
    }

    private func listenForNotices() throws(Failure) {
        guard let manager else { return }
        proxy = try NotifyProxy(in: directory, address: manager, log)
        process = try ProcessIdentity.open(record)
    }

    private func waitForReadiness() throws(Failure) {
        // Others must be able to end a container that never becomes ready.
        try directory.unlock()
        guard let proxy, let process = process.take() else { return }
        if try !proxy.waitForReadiness(process: process.borrowed, pid: record.pid) {
            log.warning(NotifyProxy.warning(record.id))
        }
    }

    private func openTheWay() throws(Failure) {
        guard let start = start.take() else { return }
        try attempt("start the container's process", .write) { () throws(Errno) in try start.borrowed.write([1]) }
    }

    private func waitForExecution() throws(Failure) {
        guard let report = report.take() else { return }
        try attempt("wait for the program to start", .fcntl) { () throws(Errno) in
            // The end of the stream is what is waited for, so reading may block from here on.
            _ = try Polling.wait(for: report.borrowed, .readable)
            try report.borrowed.setNonBlocking(false)
        }
        guard try SyncChannel(report.borrowed).waitForExecution() else {
            throw died("container \(record.id): its process was killed before it executed the program")
        }
    }
}

extension ContainerRecord {
    /// What hooks are told.
    var hookState: HookState {
        HookState(
            ociVersion: ociVersion,
            id: id,
            bundle: bundle,
            annotations: annotations.map { Annotation(key: $0.key, value: $0.value) }
        )
    }
}
