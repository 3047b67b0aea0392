// `--trace`: when each step began and ended, in every process of a command. Kept in memory that the processes share, one
// region for each, so that nobody waits for anybody; written by the runtime at the end as Chrome trace events.

package import LinuxSystem

/// The times of one command's steps.
package struct Trace: Sendable {
    /// Steps a process; of those beyond, only the number is kept. 4096 are a container with 4000 mounts.
    private static let capacity = 4096
    private static let wordsPerEvent = 32
    private static let textBytes = 104
    // Of a region: how many steps began; then the events. Of an event: begin, end, length of the text, the text.
    private static let regionSize = 1 + capacity * wordsPerEvent
    private static let endOffset = 2
    private static let lengthOffset = 4
    private static let textOffset = 5

    private let memory: SharedWords

    /// To be made before the first clone.
    package init() throws(Errno) {
        memory = try SharedWords(count: ProcessRole.allCases.count * Self.regionSize)
    }

    /// Notes that a step begins.
    /// - Parameter text: Its name, and what it is about; cut to 104 bytes.
    func begin(_ role: ProcessRole, _ text: @autoclosure () -> String) {
        let region = Int(role.rawValue) * Self.regionSize
        let number = Int(memory[region])
        memory[region] = UInt32(truncatingIfNeeded: number + 1)
        guard number < Self.capacity else { return }
        let event = region + 1 + number * Self.wordsPerEvent
        let bytes = Array(text().utf8.prefix(Self.textBytes))
        for (index, byte) in bytes.enumerated() {
            memory[event + Self.textOffset + index / 4] |= UInt32(byte) << UInt32(8 * (index % 4))
        }
        memory[event + Self.lengthOffset] = UInt32(bytes.count)
        store(Self.now, at: event)
    }

    /// Notes an act that is over.
    /// - Parameters:
    ///   - begin: Nanoseconds since 1970; so `end`.
    package func add(_ role: ProcessRole, _ name: String, begin: Int64, end: Int64) {
        self.begin(role, name)
        let region = Int(role.rawValue) * Self.regionSize
        let number = Int(memory[region]) - 1
        guard number < Self.capacity else { return }
        store(begin, at: region + 1 + number * Self.wordsPerEvent)
        store(end, at: region + 1 + number * Self.wordsPerEvent + Self.endOffset)
    }

    /// Notes that the step of this process that began last ends.
    func end(_ role: ProcessRole) {
        let region = Int(role.rawValue) * Self.regionSize
        let number = Int(memory[region]) - 1
        guard (0..<Self.capacity).contains(number) else { return }
        store(Self.now, at: region + 1 + number * Self.wordsPerEvent + Self.endOffset)
    }

    /// One step that was noted.
    struct Event: Equatable {
        let role: ProcessRole
        let text: String
        /// Nanoseconds since 1970.
        let begin: Int64
        /// `nil` when the process did not come to it: it executed the program, or was killed.
        let end: Int64?
    }

    /// All that was noted, process by process.
    var events: [Event] {
        ProcessRole.allCases.flatMap { role in
            let region = Int(role.rawValue) * Self.regionSize
            let count = min(Int(memory[region]), Self.capacity)
            return (0..<count).map { event(role, region + 1 + $0 * Self.wordsPerEvent) }
        }
    }

    /// How many steps found no room.
    var lost: Int {
        ProcessRole.allCases.reduce(0) { sum, role in
            sum + max(0, Int(memory[Int(role.rawValue) * Self.regionSize]) - Self.capacity)
        }
    }

    /// What Perfetto and chrome://tracing open. Trace Event Format: complete events (`X`), one thread a process, times
    /// in microseconds from the command's begin.
    /// - Parameters:
    ///   - command: What the user asked for.
    ///   - begin: When the command began, nanoseconds since 1970.
    package func document(command: String, begin: Int64) -> String {
        let end = Self.now
        var lines: [String] = []
        for role in ProcessRole.allCases where events.contains(where: { $0.role == role }) {
            lines.append(Self.line("M", "thread_name", role, ",\"args\":{\"name\":\(Log.quoted(role.name))}"))
        }
        lines.append(Self.line("X", command, .runtime, Self.times(0, end - begin)))
        for event in events {
            let parts = event.text.split(separator: " " as Character, maxSplits: 1)
            let name = parts.first.map(String.init) ?? ""
            let detail = parts.count > 1 ? ",\"args\":{\"detail\":\(Log.quoted(String(parts[1])))}" : ""
            let times = Self.times(event.begin - begin, (event.end ?? end) - event.begin)
            lines.append(Self.line("X", name, event.role, times + detail))
        }
        if lost > 0 { lines.append(Self.line("i", "\(lost) more steps", .runtime, Self.times(end - begin, 0))) }
        return "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n" + lines.joined(separator: ",\n") + "\n]}\n"
    }

    /// The clock of traces, which time namespaces leave alone; nanoseconds since 1970.
    package static var now: Int64 {
        let (seconds, nanoseconds) = Machine.wallClock()
        return seconds * 1_000_000_000 + nanoseconds
    }

    private static func line(_ kind: String, _ name: String, _ role: ProcessRole, _ rest: String) -> String {
        "{\"ph\":\"\(kind)\",\"name\":\(Log.quoted(name)),\"pid\":1,\"tid\":\(role.rawValue + 1)\(rest)}"
    }

    private static func times(_ begin: Int64, _ duration: Int64) -> String {
        ",\"ts\":\(microseconds(begin)),\"dur\":\(microseconds(duration))"
    }

    private static func microseconds(_ nanoseconds: Int64) -> String {
        let value = max(0, nanoseconds)
        let fraction = String(value % 1000)
        return "\(value / 1000).\(String(repeating: "0", count: 3 - fraction.utf8.count))\(fraction)"
    }

    private func event(_ role: ProcessRole, _ place: Int) -> Event {
        let bytes = (0..<Int(memory[place + Self.lengthOffset])).map { index in
            UInt8(truncatingIfNeeded: memory[place + Self.textOffset + index / 4] >> UInt32(8 * (index % 4)))
        }
        let end = load(place + Self.endOffset)
        return Event(
            role: role,
            text: String(decoding: bytes, as: UTF8.self),
            begin: load(place),
            end: end == 0 ? nil : end
        )
    }

    private func store(_ time: Int64, at index: Int) {
        memory[index] = UInt32(truncatingIfNeeded: time)
        memory[index + 1] = UInt32(truncatingIfNeeded: time >> 32)
    }

    private func load(_ index: Int) -> Int64 {
        Int64(memory[index]) | Int64(memory[index + 1]) << 32
    }
}
