// Compiled filters, kept beside the state: compiling a full profile costs more than the rest of a container's start.
// An entry holds the text of the section that it was made from, and is believed only for the same text, byte for byte: so
// a section that is known needs not even be decoded. It must belong to us, nobody else may write it, and its own checksum
// must hold. Called by SeccompFilter.swift in the runtime. Never the reason for a failure: without a usable cache the filter
// is compiled. docs/decisions/0010.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

/// One entry of the cache.
struct SeccompCache {
    private let directory: BorrowedFD
    private let text: ArraySlice<UInt8>
    private let identity: [UInt8]
    private let fingerprint: UInt64
    private let name: String

    /// More entries than this are not kept.
    static let capacity = 64
    /// Sections longer than this are compiled each time; the longest profile of an engine has 30 KiB.
    static let maximumTextSize = 256 << 10
    /// The kernel's limit for a program is 32 KiB; some words beside.
    private static let maximumSize = maximumTextSize + 65_536
    private static let digits = Array("0123456789abcdef".utf8)
    /// To be counted up when compiling changes.
    private static let magic = "apus seccomp 04\n"

    /// - Parameter text: The section as it stands in config.json.
    /// - Returns: `nil` if sections like this are not kept.
    init?(_ directory: BorrowedFD, text: ArraySlice<UInt8>) {
        guard !text.isEmpty, text.count <= Self.maximumTextSize else { return nil }
        self.directory = directory
        self.text = text
        // What else decides the program: the library, the kernel, the machine, and this program.
        let library = SeccompCompiler.libraryVersion
        let release = Machine.kernelRelease()
        let identity = Array("\(Self.magic)\(library)\n\(release)\n\(SeccompCompiler.nativeArchitecture)\n".utf8)
        fingerprint = Fingerprint.of(identity[...]) ^ Fingerprint.of(text)
        self.identity = identity
        var digits: [UInt8] = []
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            digits.append(Self.digits[Int(fingerprint >> shift & 15)])
        }
        name = String(decoding: digits, as: UTF8.self)
    }

    /// The section with its filter, or `nil` when there is none that can be believed.
    func load() -> SeccompSection? {
        guard let file = try? directory.open(name, [.readOnly, .noFollow, .nonBlocking]),
            let facts = try? file.borrowed.facts(),
            facts.kind == .regular, facts.uid == Processes.effectiveUserID, facts.permissions == 0o600,
            facts.size <= UInt64(Self.maximumSize), facts.size > UInt64(text.count),
            let content = try? file.borrowed.read(count: Int(facts.size) - text.count, at: 0),
            let section = decode(content),
            (try? hasText(file.borrowed, from: Int64(content.count))) == true
        else { return nil }
        return section
    }

    /// Whether the file goes on with the text, and ends with it. Read in parts: memory that was not touched yet costs more than
    /// a call.
    private func hasText(_ file: BorrowedFD, from start: Int64) throws(Errno) -> Bool {
        var place = text.startIndex
        while place < text.endIndex {
            let offset = start + Int64(place - text.startIndex)
            let part = try file.read(count: min(4096, text.endIndex - place), at: offset)
            guard !part.isEmpty, Fingerprint.isSame(part[...], text[place..<(place + part.count)]) else { return false }
            place += part.count
        }
        return true
    }

    /// Writes the entry, replacing an older or a broken one; concurrent writers each replace the whole.
    /// - Returns: What went wrong, which the caller may tell but must not fail for.
    func store(_ compiled: CompiledFilter, of section: SeccompSection) -> Failure? {
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
                    try file.borrowed.write(encode(compiled, of: section))
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

    /// Removes entries until there is room for one more. Which ones is left to chance: no access times are kept.
    private func makeRoom() throws(Errno) {
        // Opened anew, for an offset at the start and because the caller's descriptor may be a mere handle.
        let listing = try directory.open(".", [.directory])
        var names = try listing.borrowed.entries().compactMap(\.name)
        names.removeAll { $0 == name }
        while names.count >= Self.capacity {
            let victim = Int(truncatingIfNeeded: fingerprint & 0xffff) % names.count
            do throws(Errno) {
                try directory.unlink(names.remove(at: victim))
            } catch .ENOENT {
                // Another creation made room at the same time.
                continue
            }
        }
    }

    // identity | checksum of what follows | program | flags | outline | words, and at the end the text, which is compared.
    // Before each text but that one and the identity stands its length.

    private func encode(_ compiled: CompiledFilter, of section: SeccompSection) -> [UInt8] {
        var body = Writer()
        body.append(compiled.program)
        body.append(UInt64(compiled.flags))
        body.append(UInt64(section.ruleCount))
        body.append(section.notifies ? 1 : 0)
        for words in [
            section.listenerPath.map { [$0] } ?? [], section.listenerMetadata.map { [$0] } ?? [],
            compiled.unknownCalls, compiled.foreignArchitectures,
        ] {
            body.append(UInt64(words.count))
            for word in words { body.append(Array(word.utf8)) }
        }
        var head = Writer(bytes: identity)
        head.append(Fingerprint.of(body.bytes[...]))
        return head.bytes + body.bytes + text
    }

    private func decode(_ content: [UInt8]) -> SeccompSection? {
        var reader = Reader(content)
        guard let head = reader.take(identity.count), Fingerprint.isSame(content[head], identity[...]),
            let checksum = reader.number(), checksum == Fingerprint.of(content[reader.position...]),
            let program = reader.bytes(), !program.isEmpty, program.count % 8 == 0,
            let flags = reader.number(), let ruleCount = reader.number(), let notifies = reader.number(),
            let path = reader.words(), let metadata = reader.words(),
            let unknown = reader.words(), let foreign = reader.words(), reader.isAtEnd
        else { return nil }
        return SeccompSection(
            ruleCount: Int(truncatingIfNeeded: ruleCount),
            notifies: notifies == 1,
            listenerPath: path.first,
            listenerMetadata: metadata.first,
            compiled: CompiledFilter(
                program: Array(content[program]),
                flags: UInt32(truncatingIfNeeded: flags),
                unknownCalls: unknown,
                foreignArchitectures: foreign
            )
        )
    }

    private struct Writer {
        var bytes: [UInt8] = []

        /// Eight bytes, least first.
        mutating func append(_ number: UInt64) {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
        }

        mutating func append(_ text: [UInt8]) {
            append(UInt64(text.count))
            bytes += text
        }
    }

    /// Each answer is `nil` where the content is too short for it.
    private struct Reader {
        private let content: [UInt8]
        private(set) var position = 0

        init(_ content: [UInt8]) { self.content = content }

        var isAtEnd: Bool { position == content.count }

        mutating func take(_ count: Int) -> Range<Int>? {
            guard count <= content.count - position else { return nil }
            defer { position += count }
            return position..<(position + count)
        }

        mutating func number() -> UInt64? {
            guard let place = take(8) else { return nil }
            var number: UInt64 = 0
            for index in place.reversed() { number = number << 8 | UInt64(content[index]) }
            return number
        }

        mutating func bytes() -> Range<Int>? {
            number().flatMap { Int(exactly: $0) }.flatMap { take($0) }
        }

        mutating func words() -> [String]? {
            guard let count = number() else { return nil }
            var words: [String] = []
            while words.count < count {
                guard let place = bytes() else { return nil }
                words.append(String(decoding: content[place], as: UTF8.self))
            }
            return words
        }
    }
}
