// `ps`: which processes are a container's, by the numbers that they have on the host, as its cgroups list them.

internal import Cgroups
package import Diagnostics
internal import Launch
internal import LinuxSystem
internal import OCISpec
internal import Records

/// `ps`.
package enum ProcessList {
    /// As much as the host's `ps` may say: a line a process.
    private static let maximumOutput = 64 << 20
    private static let seconds = 60

    /// All processes of a container, also those in cgroups below its own; by number. None when it has stopped.
    package static func pids(id: String, _ context: RuntimeContext) throws(Failure) -> [CInt] {
        let directory = try context.open(id, lock: nil)
        guard let record = try context.record(in: directory) else {
            throw Failure("container not running: \(id)", .wrongState, subject: id)
        }
        let pids = try processes(of: record, context.log)
        guard pids.isEmpty else { return pids }
        let status = try context.status(of: record, in: directory, isLocked: false)
        guard status == .stopped else {
            throw Failure(
                "list the processes of container \(id): none is in its cgroup, but it is \(status.rawValue)",
                .wrongState,
                subject: id
            )
        }
        return []
    }

    private static func processes(of record: ContainerRecord, _ log: Log) throws(Failure) -> [CInt] {
        log.begin(act: "readProcesses")
        defer { log.end(.runtime) }
        return try record.cgroups.placement.makeManager().processes()
    }

    /// The lines of the host's `ps` that are about the container's processes, below their headings.
    /// - Parameter arguments: Its options; it must print a column `PID`.
    package static func table(id: String, arguments: [String], _ context: RuntimeContext) throws(Failure) -> String {
        let pids = try pids(id: id, context)
        let environment = HostProgram.inheritedEnvironment
        let words = arguments.isEmpty ? ["-ef"] : arguments
        let program = try ExecutableLookup.find("ps", environment: environment)
        context.log.begin(act: "runPS", program)
        defer { context.log.end(.runtime) }
        let outcome = try HostProgram.run(
            program,
            arguments: ["ps"] + words,
            environment: environment,
            input: [],
            timeoutSeconds: seconds,
            outputLimit: maximumOutput
        )
        let call = "\(program) \(words.joined(separator: " "))"
        guard outcome.status == .exited(0) else {
            throw Failure("\(call): \(outcome.ending), stderr: \(outcome.errors)")
        }
        let lines = outcome.output.split(separator: "\n" as Character)
        guard let heading = lines.first, let column = heading.split(separator: " " as Character).firstIndex(of: "PID")
        else {
            throw Failure(
                "\(call): its output has no column PID, by which the container's processes are found",
                hint: "name the columns so that pid is among them: -o pid,cmd"
            )
        }
        let own = Set(pids)
        let found = lines.dropFirst().filter { line in
            let fields = line.split(separator: " " as Character)
            return column < fields.count && CInt(fields[column]).map(own.contains) ?? false
        }
        return ([heading] + found).map { $0 + "\n" }.joined()
    }
}
