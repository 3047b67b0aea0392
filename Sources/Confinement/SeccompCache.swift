// Compiled filters, kept beside the state: compiling a full profile costs more than the rest of a container's start.
// An entry is named by the hash of everything that went into it, so it never goes stale; it is believed only when it
// belongs to us, nobody else can write it, and its own checksum holds. Called by SeccompFilter.swift in the runtime.
// Never the reason for a failure: without a usable cache the filter is compiled.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

/// One entry of the cache.
struct SeccompCache {
    private let directory: BorrowedFD
    private let key: [UInt8]
    private let name: String

    /// More entries than this are not kept.
    static let capacity = 64
    /// Longer files are not ours: the kernel's limit for a program is 32 KiB.
    private static let maximumSize = 65_536
    private static let magic = Array("apus seccomp 02\n".utf8)
    private static let digestSize = 32

    init(_ directory: BorrowedFD, key: [UInt8]) {
        self.directory = directory
        self.key = key
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in key {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        name = String(decoding: text, as: UTF8.self)
    }

    /// Hashes the section and what else decides the program: the library, the kernel, the machine, and (by `magic`,
    /// to be counted up when compiling changes) this program. The flags are not part of it: they belong to the load.
    static func key(of configuration: SeccompConfiguration) -> [UInt8] {
        let kernel = Machine.kernelVersion()
        var input = Encoder()
        input.bytes = magic
        input.append(SeccompCompiler.libraryVersion)
        input.append("\(kernel.major).\(kernel.minor)")
        input.append(UInt64(SeccompCompiler.nativeArchitecture))
        input.append(configuration.defaultAction)
        input.append(configuration.architectures)
        input.append(UInt64(configuration.rules.count))
        for rule in configuration.rules {
            input.append(rule.names)
            input.append(rule.action)
            input.append(UInt64(rule.conditions.count))
            for condition in rule.conditions {
                input.append(UInt64(condition.index))
                input.append(condition.comparison.rawValue)
                input.append(condition.value)
                input.append(condition.valueTwo)
            }
        }
        return SHA256.digest(input.bytes)
    }

    /// The entry, or `nil` when there is none that can be believed.
    func load() -> SeccompCompiler.Output? {
        guard let file = try? directory.open(name, [.readOnly, .noFollow, .nonBlocking]),
            let facts = try? file.borrowed.facts(),
            facts.kind == .regular, facts.uid == Processes.effectiveUserID, facts.permissions == 0o600,
            facts.size <= UInt64(Self.maximumSize),
            let content = try? file.borrowed.read(count: Int(facts.size), at: 0)
        else { return nil }
        return decode(content)
    }

    /// Writes the entry, replacing an older or a broken one; concurrent writers each replace the whole.
    /// - Returns: What went wrong, which the caller may tell but must not fail for.
    func store(_ output: SeccompCompiler.Output) -> Failure? {
        let temporary = ".\(name).\(Processes.currentID).\(Machine.monotonicNanoseconds())"
        do throws(Failure) {
            try checkDirectory()
            try attempt("write a seccomp filter to the cache", .open) { () throws(Errno) in
                try makeRoom()
                do throws(Errno) {
                    let file = try directory.open(
                        temporary,
                        [.writeOnly, .create, .exclusive, .noFollow],
                        mode: 0o600
                    )
                    // The creation mask may have taken bits away.
                    try file.borrowed.changeMode(0o600)
                    try file.borrowed.write(encode(output))
                    // No fsync: a torn entry fails its checksum and is written again.
                    try directory.rename(temporary, to: name)
                } catch {
                    try? directory.unlink(temporary)
                    throw error
                }
            }
            return nil
        } catch {
            return error
        }
    }

    /// Somebody who can write here could replace the filter of every container.
    private func checkDirectory() throws(Failure) {
        let facts = try attempt("look at the seccomp cache", .statx) { () throws(Errno) in try directory.facts() }
        guard facts.uid == Processes.effectiveUserID, facts.permissions & 0o022 == 0 else {
            throw Failure("the seccomp cache is not used: its directory belongs to, or can be written by, another user")
        }
    }

    /// Removes entries until there is room for one more. Which ones is left to the hash: no access times are kept.
    private func makeRoom() throws(Errno) {
        // Opened anew, for an offset at the start and because the caller's descriptor may be a mere handle.
        let listing = try directory.open(".", [.directory])
        var names = try listing.borrowed.entries().compactMap(\.name)
        names.removeAll { $0 == name }
        while names.count >= Self.capacity {
            let victim = Int(key[0]) % names.count
            try directory.unlink(names.remove(at: victim))
        }
    }

    // magic | key | three lengths of 4 bytes, least first | program | names | checksum of all before it

    func encode(_ output: SeccompCompiler.Output) -> [UInt8] {
        let unknown = Array(output.unknownCalls.joined(separator: "\n").utf8)
        let foreign = Array(output.foreignArchitectures.joined(separator: "\n").utf8)
        var content = Self.magic + key
        for length in [output.program.count, unknown.count, foreign.count] {
            for shift in [0, 8, 16, 24] { content.append(UInt8(truncatingIfNeeded: length >> shift)) }
        }
        content += output.program + unknown + foreign
        return content + SHA256.digest(content)
    }

    // Plain loops: the library's generic algorithms would cost more at their first use than the reading itself.
    func decode(_ content: [UInt8]) -> SeccompCompiler.Output? {
        let header = Self.magic + key
        let end = content.count - Self.digestSize
        var offset = header.count + 12
        guard end >= offset, Self.matches(content, 0, header) else { return nil }
        let program = Self.number(content, header.count)
        let unknown = Self.number(content, header.count + 4)
        let foreign = Self.number(content, header.count + 8)
        guard offset + program + unknown + foreign == end, program > 0, program % 8 == 0,
            Self.matches(content, end, SHA256.digest(Array(content[..<end])))
        else { return nil }
        var output = SeccompCompiler.Output(
            program: Array(content[offset..<(offset + program)]),
            unknownCalls: [],
            foreignArchitectures: []
        )
        offset += program
        if unknown > 0 { output.unknownCalls = Self.names(content[offset..<(offset + unknown)]) }
        offset += unknown
        if foreign > 0 { output.foreignArchitectures = Self.names(content[offset..<end]) }
        return output
    }

    private static func matches(_ content: [UInt8], _ offset: Int, _ expected: [UInt8]) -> Bool {
        for index in expected.indices where content[offset + index] != expected[index] { return false }
        return true
    }

    private static func number(_ content: [UInt8], _ offset: Int) -> Int {
        Int(content[offset]) | Int(content[offset + 1]) << 8 | Int(content[offset + 2]) << 16
            | Int(content[offset + 3]) << 24
    }

    private static func names(_ bytes: ArraySlice<UInt8>) -> [String] {
        bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Bytes for the hash. Every text and list carries its length, so that different sections differ.
    private struct Encoder {
        var bytes: [UInt8] = []

        /// Seven bits a byte, least first: most numbers are short, and hashing costs by the byte.
        mutating func append(_ number: UInt64) {
            var rest = number
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(truncatingIfNeeded: rest))
        }

        mutating func append(_ text: String) {
            append(UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }

        mutating func append(_ texts: [String]) {
            append(UInt64(texts.count))
            for text in texts { append(text) }
        }

        mutating func append(_ action: SeccompConfiguration.Action) {
            switch action {
            case .killThread: append(1)
            case .killProcess: append(2)
            case .trap: append(3)
            case .allow: append(4)
            case .log: append(5)
            case .notify: append(6)
            case .errno(let number): append(0x1_0000 | UInt64(number))
            case .trace(let number): append(0x2_0000 | UInt64(number))
            }
        }
    }
}
