// The whole program: from the words of the command line to an exit status. Called by main.swift alone; the only place
// that exits and the only one that reports an error.

internal import Diagnostics
internal import Lifecycle
internal import LinuxSystem

/// The program.
package enum Program {
    private static let SIGPIPE: CInt = 13

    /// Carries out one command line and ends the process.
    /// - Parameter arguments: As the kernel passed them, with the program's name.
    package static func main(_ arguments: [String]) -> Never {
        do throws(Errno) {
            try Descriptors.reserveStandardStreams()
        } catch {
            // Whatever is said could end up in a file of somebody's.
            Processes.exit(ExitStatus.failure.rawValue)
        }
        // A hook or a terminal that goes away must not end the runtime.
        try? Signals.ignore(SIGPIPE)
        Processes.exit(status(of: arguments).rawValue)
    }

    private static func status(of arguments: [String]) -> ExitStatus {
        let environment = Processes.environment
        let userID = Processes.effectiveUserID, runtimeDirectory = environment.value(of: "XDG_RUNTIME_DIR")
        let surroundings = Surroundings(
            userID: userID,
            runtimeDirectory: runtimeDirectory,
            // Asked only where it makes a difference: it costs three kernel calls.
            isInUserNamespace: userID == 0 && runtimeDirectory != nil && Processes.isInUserNamespace,
            trace: environment.value(of: "APUS_TRACE")
        )
        let invocation: Invocation
        do throws(UsageProblem) {
            invocation = try Invocation.parse(Array(arguments.dropFirst()), in: surroundings)
        } catch {
            return withLog(error.globals) { log in
                log.report(error)
                return error.status
            }
        }
        let missing = invocation.command.preservedDescriptors.flatMap { missingDescriptor($0, environment) }
        return withLog(invocation.globals) { log in
            let trace = TraceFile(invocation.globals.trace, log, command: invocation.command.words)
            defer { trace.write() }
            do throws(Failure) {
                if let missing { throw missing }
                return try Verbs(invocation.globals, log, arguments).perform(invocation.command)
            } catch {
                log.report(error, doing: invocation.command.words)
                return invocation.command.failure
            }
        }
    }

    private static func withLog(_ globals: GlobalOptions, _ body: (Log) -> ExitStatus) -> ExitStatus {
        switch globals.log {
        case nil: return body(Log(globals, nil))
        case .file(let path)?:
            do throws(Errno) {
                let file = try BorrowedFD.workingDirectory.open(path, [.writeOnly, .create, .append], mode: 0o644)
                return body(Log(globals, .file(file.borrowed)))
            } catch {
                Log(globals, nil).report(Failure("open the log file \(path)", .open, error), doing: "")
                return .failure
            }
        case .journal(let identifier)?:
            return withDaemon(at: LogDestination.journalSocket) { socket in
                body(Log(globals, socket.map { .journal($0, identifier: identifier) }))
            }
        case .systemLog(let identifier)?:
            return withDaemon(at: LogDestination.systemLogSocket) { socket in
                body(Log(globals, socket.map { .systemLog($0, identifier: identifier) }))
            }
        }
    }

    /// Without a socket if nobody listens: no container has to wait for a daemon that keeps logs, and standard error is
    /// still there.
    private static func withDaemon(at path: String, _ body: (BorrowedFD?) -> ExitStatus) -> ExitStatus {
        do throws(Errno) {
            let socket = try Sockets.connect(toDatagramsAt: .path(path))
            try socket.borrowed.setNonBlocking(true)
            return body(socket.borrowed)
        } catch {
            return body(nil)
        }
    }

    /// Looked for before this process opens anything of its own, which would take the number.
    private static func missingDescriptor(_ preserved: Int, _ environment: [String]) -> Failure? {
        let count = preserved + ListenDescriptors(environment).count
        for number in 0..<count where (try? BorrowedFD(rawValue: CInt(clamping: 3 + number)).descriptorFlags()) == nil {
            return Failure(
                "--preserve-fds \(preserved): descriptor \(3 + number) is not open",
                .usage,
                subject: "--preserve-fds"
            )
        }
        return nil
    }
}

extension Command {
    /// Of the commands that make processes of a container.
    fileprivate var preservedDescriptors: Int? {
        switch self {
        case .create(let options, _): options.preserveFDs
        case .run(let options, _): options.create.preserveFDs
        case .exec(let options): options.preserveFDs
        default: nil
        }
    }

    /// What its own failure exits with.
    fileprivate var failure: ExitStatus {
        if case .exec = self { return .execFailure }
        return .failure
    }

    /// What the user asked for, in the words that begin an error message.
    fileprivate var words: String {
        switch self {
        case .create(_, let id): "create \(id)"
        case .run(_, let id): "run \(id)"
        case .exec(let options): "exec \(options.id)"
        case .start(let id): "start \(id)"
        case .state(let id): "state \(id)"
        case .kill(let options): "kill \(options.containers.words)"
        case .delete(let options): "delete \(options.containers.words)"
        case .list: "list"
        case .pause(let id): "pause \(id)"
        case .resume(let id): "resume \(id)"
        case .ps(let options): "ps \(options.id)"
        case .update(let options): "update \(options.id)"
        case .events(let options): "events \(options.id)"
        case .checkpoint(_, let id): "checkpoint \(id)"
        case .restore(_, _, let id): "restore \(id)"
        case .spec: "spec"
        case .explain: "explain"
        case .features: "features"
        case .version, .text: ""
        }
    }
}

extension ContainerSelection {
    fileprivate var words: String {
        switch self {
        case .ids(let ids): ids.joined(separator: " ")
        case .matching(let expression): "--regex \(expression)"
        }
    }
}
