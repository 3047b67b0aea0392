// A `criu swrk`: a criu that does one request, asked over a socket that it inherits. It reports the stages that it
// comes to and waits at each for an answer, so that the runtime does its part at the right moment.

package import Diagnostics
internal import KernelTypes
package import Launch
internal import LinuxSystem

/// A criu: it waits for its request, which the first call of `next` sends.
package final class CRIUProcess {
    /// A stage that criu waits at; it goes on when the next event is asked for.
    package struct Stage {
        package let name: String
        /// The container's process.
        package let pid: CInt?
        /// What came with it: a terminal's primary.
        package let descriptors: FDTable
    }

    /// The longest message that is taken; bytes.
    private static let maximumMessage = 64 << 10

    /// criu's own.
    package let pid: CInt
    private let request: CRIURequest
    private var isAsked = false
    private let socket: FDTable
    private let pidfd: OwnedFD
    private var waits = false
    private var answer: CRIUResponse?
    private var isReaped = false

    init(
        path: String,
        _ request: CRIURequest,
        namespaces: [NamespaceKind] = [],
        cgroup: BorrowedFD? = nil,
        prepare: () throws(Failure) -> Void = {}
    ) throws(Failure) {
        self.request = request
        let report = FDTable()
        report.add(try attempt("make a socket to criu", .socketpair) { () throws(Errno) in try Sockets.pair() })
        let kept = request.options?.descriptors ?? []
        let child = try attempt("start criu", .clone3) { () throws(Errno) in
            try Processes.clone(namespaces: namespaces, cgroup: cgroup) {
                Self.become(path, kept, report[1], prepare)
            }
        }
        pid = child.pid
        pidfd = child.takeDescriptor()
        report.close(1)
        socket = try Self.greet(report[0], pidfd.borrowed)
    }

    /// Receives the socket on which criu will be asked; returns when criu has it, too.
    private static func greet(_ report: BorrowedFD, _ pidfd: BorrowedFD) throws(Failure) -> FDTable {
        let socket = FDTable()
        while true {
            let (bytes, descriptors) = try attempt("receive the socket to criu", .recvmsg) { () throws(Errno) in
                try report.receive(upTo: FailureRecord.maximumSize)
            }
            for descriptor in descriptors { socket.add(OwnedFD(adopting: descriptor)) }
            // execve closes the child's end.
            if bytes.isEmpty && !socket.isEmpty { return socket }
            if bytes == greeting { continue }
            _ = try? Processes.reap(pidfd: pidfd)
            throw bytes.isEmpty ? Failure("start criu: its process ended at once") : FailureRecord.decode(bytes)
        }
    }

    private static let greeting: [UInt8] = [0]

    /// As this process's own, with a `PATH` for the programs that criu starts (tar, ip, iptables).
    private static var environment: [String] {
        let inherited = HostProgram.inheritedEnvironment
        if inherited.contains(where: { $0.hasPrefix("PATH=") }) { return inherited }
        return inherited + ["PATH=\(ExecutableLookup.defaultPath)"]
    }

    /// In the child. criu looks the numbers of descriptors up in the process that made its socket: that is itself.
    private static func become(
        _ path: String,
        _ kept: [BorrowedFD],
        _ report: BorrowedFD,
        _ prepare: () throws(Failure) -> Void
    ) -> Never {
        do throws(Failure) {
            try attempt("reset signals", .sigaction) { () throws(Errno) in try Signals.reset() }
            try prepare()
            let pair = try attempt("make the socket to criu", .socketpair) { () throws(Errno) in try Sockets.pair() }
            try attempt("send the socket to criu", .sendmsg) { () throws(Errno) in
                try report.send(greeting, descriptors: [pair.first.borrowed])
            }
            for descriptor in kept + [pair.second.borrowed] {
                try attempt("keep descriptor \(descriptor.rawValue) for criu", .fcntl) { () throws(Errno) in
                    try descriptor.setCloseOnExec(false)
                }
            }
            let arguments = ["criu", "swrk", "\(pair.second.rawValue)"]
            let prepared = PreparedExec(path: path, arguments: arguments, environment: environment)
            throw Failure("start criu", .execve, prepared.execute())
        } catch {
            try? report.send(FailureRecord.encode(error))
        }
        Processes.exit(127)
    }

    /// The next stage; `nil` when criu is done.
    /// - Throws: When criu fails, with the reason that its log gives.
    package func next() throws(Failure) -> Stage? {
        if !isAsked {
            isAsked = true
            try send(request)
        }
        if waits {
            waits = false
            try send(.acknowledge(true))
        }
        let (response, descriptors) = try receive()
        if response.isNotification {
            waits = true
            return Stage(name: response.stage ?? "", pid: response.pid, descriptors: descriptors)
        }
        answer = response
        reap()
        guard response.success else { throw failure(response) }
        return nil
    }

    /// Lets criu go through all its stages.
    /// - Returns: Its answer.
    @discardableResult
    package func finish() throws(Failure) -> CRIUResponse {
        while try next() != nil {}
        guard let answer else { throw Failure("criu ended without an answer") }
        return answer
    }

    /// Has criu take back what it did, if it is still at work.
    package func abandon() {
        // One that was asked nothing yet ends with its socket.
        while isAsked && answer == nil && !isReaped {
            if waits {
                waits = false
                guard (try? send(.acknowledge(false))) != nil else { break }
            }
            guard let (response, _) = try? receive() else { break }
            waits = response.isNotification
            if !response.isNotification { answer = response }
        }
        reap()
    }

    private func reap() {
        if isReaped { return }
        isReaped = true
        // After a pre-dump criu waits for the next request, and ends when there can be none.
        socket.closeAll()
        _ = try? Processes.reap(pidfd: pidfd.borrowed)
    }

    private func send(_ request: CRIURequest) throws(Failure) {
        do throws(Errno) {
            try socket[0].send(request.bytes)
        } catch {
            throw ended("send criu its request: \(error)")
        }
    }

    private func receive() throws(Failure) -> (CRIUResponse, FDTable) {
        let (bytes, received) = try attempt("receive criu's answer", .recvmsg) { () throws(Errno) in
            do throws(Errno) {
                return try socket[0].receive(upTo: Self.maximumMessage)
            } catch .ECONNRESET {
                return ([], [])
            }
        }
        let descriptors = FDTable()
        for descriptor in received { descriptors.add(OwnedFD(adopting: descriptor)) }
        if bytes.isEmpty { throw ended("it ended without an answer") }
        guard let response = CRIUResponse(bytes) else {
            throw Failure("criu sent \(bytes.count) bytes that are no answer")
        }
        return (response, descriptors)
    }

    // MARK: What went wrong

    private func failure(_ response: CRIUResponse) -> Failure {
        var reason = lastError ?? response.message
        if reason == nil, let number = response.errno { reason = "\(Errno(number))" }
        return failure(because: reason ?? "it gave no reason")
    }

    /// criu is gone, or will not talk: how it ended says more than the socket.
    private func ended(_ text: String) -> Failure {
        var reason = lastError ?? text
        if !isReaped, let status = try? Processes.reap(pidfd: pidfd.borrowed) {
            isReaped = true
            switch status {
            case .exited(let code): reason += " (exit status \(code))"
            case .signalled(let signal): reason += " (signal \(signal))"
            }
        }
        return failure(because: reason)
    }

    private func failure(because reason: String) -> Failure {
        Failure(
            "criu could not \(request.action): \(reason)",
            hint: request.options.map { "criu's log is \($0.logPath)" }
        )
    }

    private var lastError: String? {
        guard let options = request.options else { return nil }
        return CRIULog.lastError(of: options.logFile, in: options.work)
    }
}

extension CRIUOptions {
    /// What criu must have open under the same numbers.
    var descriptors: [BorrowedFD] {
        [images, work] + inherited.map(\.descriptor) + (statusDescriptor.map { [BorrowedFD(rawValue: $0)] } ?? [])
    }
}
