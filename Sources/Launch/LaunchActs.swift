// Acts of the runtime process that create and exec share.

internal import Configuration
internal import Confinement
internal import Diagnostics
internal import LinuxSystem
internal import Records

extension LaunchResources {
    func connectConsole(_ path: String) throws(Failure) {
        console.add(
            try attempt("connect to the console socket \(path)", .connect) { () throws(Errno) in
                try Sockets.connect(toStreamAt: path)
            }
        )
    }

    func makeConsoleSocket() throws(Failure) {
        console.add(
            try attempt("make a socket for the terminal", .socketpair) { () throws(Errno) in try Sockets.pair() }
        )
    }

    /// The terminal's primary, in the foreground.
    func receiveTerminal() throws(Failure) -> OwnedFD {
        let (_, descriptors) = try attempt("receive the container's terminal", .recvmsg) { () throws(Errno) in
            try console[1].receive(upTo: 4096)
        }
        guard let fd = descriptors.first else { throw Failure("receive the container's terminal: none came") }
        return OwnedFD(adopting: fd)
    }

    func compileFilter(_ configuration: ContainerConfiguration, _ stateRoot: StateRoot, _ log: Log) throws(Failure) {
        guard let seccomp = configuration.seccomp else { return }
        let isStrict = configuration.value(of: .failsOnUnknownSystemCall) != nil
        let unknownCalls: SeccompFilter.UnknownCalls = isStrict ? .refused : .skipped
        let prepared: SeccompFilter.Preparation
        if seccomp.configuration != nil, let cache = try? stateRoot.openCache("seccomp") {
            prepared = try SeccompFilter.prepare(seccomp, cache: cache.borrowed, unknownCalls: unknownCalls)
        } else {
            prepared = try SeccompFilter.prepare(seccomp, cache: nil, unknownCalls: unknownCalls)
        }
        // Every engine's profile names calls that some library does not know: worth a word only to who asks.
        for warning in prepared.warnings { log.debug(warning) }
        filter = prepared.filter
    }

    /// Waits for the end of the channel, after which the program runs if nothing was reported.
    /// - Parameter steps: Init's; executing the program is the last.
    /// - Returns: Whether it came so far.
    func waitForExecution(after steps: [InitStep]) throws(Failure) -> Bool {
        _ = try runtimeChannel.waitForExecution()
        return breadcrumb[.initial] == steps.count
    }

    /// How a process ended without a word, and where it was.
    /// - Parameters:
    ///   - expected: What was waited for.
    ///   - pidfd: Of the process that is to become the program, once it is known.
    func describeDeath(
        waitingFor expected: String,
        _ pidfd: FDTable,
        initial: [String],
        intermediate: [String]
    ) -> String {
        let role: ProcessRole = breadcrumb[.initial] > 0 || intermediate.isEmpty ? .initial : .intermediate
        let index = breadcrumb[role]
        let steps = role == .initial ? initial : intermediate
        var text = "wait for \(expected): \(role.name)"
        if !pidfd.isEmpty, let status = try? Processes.reap(pidfd: pidfd[0]) {
            switch status {
            case .exited(let code): text += " exited with status \(code)"
            case .signalled(let signal): text += " was killed by signal \(signal)"
            }
        } else {
            text += " ended"
        }
        if (1...max(1, steps.count)).contains(index) { text += " in step \(index) \(steps[index - 1])" }
        return text
    }
}
