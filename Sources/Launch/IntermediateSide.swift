// Executes the intermediate's steps: enters what init must be born in, bears init as its own sibling, says which pid it
// has, and ends. It never returns.

internal import Cgroups
internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// The intermediate process.
final class IntermediateSide {
    private let resources: LaunchResources
    private let steps: [IntermediateStep]
    private let initSide: InitSide
    private let log: Log
    private var initPID: CInt = 0

    init(_ resources: LaunchResources, steps: [IntermediateStep], initSide: InitSide, log: Log) {
        self.log = log
        self.resources = resources
        self.steps = steps
        self.initSide = initSide
    }

    /// Performs every step; reports the one that fails.
    func live() -> Never {
        resources.closeRuntimeSide()
        try? Processes.setName("apus:[1:INTER]")
        for (index, step) in steps.enumerated() {
            resources.breadcrumb[.intermediate] = index + 1
            log.begin(.intermediate, index + 1, of: steps.count, step.name, step.detail)
            do throws(Failure) {
                defer { log.end(.intermediate) }
                try perform(step)
            } catch {
                let failure = error.stamped(
                    StepName(index: index + 1, name: step.name),
                    .intermediate,
                    about: step.subject
                )
                resources.childChannel.report(failure)
                Processes.exit(1)
            }
        }
        Processes.exit(0)
    }

    private func perform(_ step: IntermediateStep) throws(Failure) {
        switch step {
        case .dieWithParent: try ParentDeath.follow(resources)
        case .becomeUntraceable: try Untraceable.become()
        case .joinCgroup: try resources.cgroupEntry?.join.enter(bornInUnified: false)
        case .enterNamespace(let kind): try NamespaceEntry.enter(kind, resources)
        case .joinContainer(let kinds): try NamespaceEntry.joinContainer(kinds, resources)
        case .setOOMScoreAdjustment(let value): try OOMScoreAdjustment.set(value, ofProcess: "self")
        case .newUserNamespace: try makeUserNamespace()
        case .becomeRoot: try NamespaceEntry.becomeRoot()
        case .newTimeNamespace(let offsets): try makeTimeNamespace(offsets)
        case .cloneInit(let kinds): try cloneInit(kinds)
        case .tell(let message): try resources.childChannel.tell(message, number: initPID)
        case .waitFor(let message):
            // The runtime is gone: nobody is left to report to, and nothing of this may stay.
            guard try resources.childChannel.wait(for: message) != nil else { Processes.exit(1) }
        }
    }

    private func makeUserNamespace() throws(Failure) {
        try attempt("make a user namespace", .unshare) { () throws(Errno) in try Namespaces.unshare(.user) }
    }

    private func makeTimeNamespace(_ offsets: [TimeOffset]) throws(Failure) {
        try attempt("make a time namespace", .unshare) { () throws(Errno) in try Namespaces.unshare(.time) }
        guard !offsets.isEmpty else { return }
        let lines = offsets.map { "\($0.clock) \($0.seconds) \($0.nanoseconds)\n" }.joined()
        try attempt("set linux.timeOffsets", .write, detail: "/proc/self/timens_offsets") { () throws(Errno) in
            try BorrowedFD.workingDirectory.setContents(of: "/proc/self/timens_offsets", to: Array(lines.utf8))
        }
    }

    private func cloneInit(_ kinds: [NamespaceKind]) throws(Failure) {
        let initSide = initSide
        let child = try attempt("clone init", .clone3, detail: kinds.map(\.rawValue).joined(separator: ",")) {
            () throws(Errno) in
            try Processes.clone(namespaces: kinds, sibling: true) { initSide.live() }
        }
        initPID = child.pid
    }
}
