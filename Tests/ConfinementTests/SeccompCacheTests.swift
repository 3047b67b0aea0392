import Configuration
import Confinement
import Foundation
import LinuxSystem
import Testing

/// A directory of its own, removed at the end.
private final class CacheDirectory {
    let path: String
    let descriptor: OwnedFD

    init() throws {
        path = NSTemporaryDirectory() + "apus-cache-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        descriptor = try BorrowedFD.workingDirectory.open(path, .directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var entries: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
    var onlyEntry: String { path + "/" + (entries.first ?? "none") }

    /// What a creation gets, and whether it was there.
    struct Found {
        let filter: SeccompFilter
        let warnings: [String]
        let wasCached: Bool
    }

    /// As a creation does: looks for the text, and compiles if it is not known.
    func prepare(_ profile: SeccompConfiguration, text: [UInt8]? = nil) throws -> Found {
        // Any text that is another one for another profile.
        let text = text ?? Array("\(profile)".utf8)
        let known = SeccompFilter.known(text[...], in: descriptor.borrowed)
        let section = known ?? SeccompSection(profile, text: text)
        let preparation = try SeccompFilter.prepare(section, cache: descriptor.borrowed)
        return Found(filter: preparation.filter, warnings: preparation.warnings, wasCached: known != nil)
    }
}

private func profile(_ errno: UInt16 = 1, names: [String] = ["mkdir", "no_such_call"]) -> SeccompConfiguration {
    section(.allow, ["SCMP_ARCH_X86", "SCMP_ARCH_S390X"], [Rule(names: names, action: .errno(errno), conditions: [])])
}

@Suite struct SeccompCacheTests {
    @Test func theSecondTimeComesFromTheCache() throws {
        let cache = try CacheDirectory()
        let first = try cache.prepare(profile())
        let second = try cache.prepare(profile())
        #expect(!first.wasCached)
        #expect(second.wasCached)
        #expect(first.filter == second.filter)
        // The words about the profile are not lost.
        #expect(first.warnings == second.warnings)
        #expect(second.warnings.count == 2)
        #expect(cache.entries.count == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: cache.onlyEntry)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func whatAStartNeedsToKnowIsKept() throws {
        let cache = try CacheDirectory()
        var asked = section(.allow, [], [Rule(names: ["mkdir"], action: .notify, conditions: [])])
        asked.listenerPath = "/run/agent.sock"
        asked.listenerMetadata = "words for\nthe agent"
        asked.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
        let compiled = try cache.prepare(asked, text: [1, 2, 3])
        let known = try #require(SeccompFilter.known([1, 2, 3], in: cache.descriptor.borrowed))
        #expect(known.ruleCount == 1)
        #expect(known.notifies)
        #expect(known.listenerPath == "/run/agent.sock")
        #expect(known.listenerMetadata == "words for\nthe agent")
        #expect(known.configuration == nil)
        #expect(compiled.filter.flags == 32 | 8)
        #expect(try cache.prepare(asked, text: [1, 2, 3]).filter == compiled.filter)
        let plain = try cache.prepare(profile(), text: [1, 2])
        let outline = try #require(SeccompFilter.known([1, 2], in: cache.descriptor.borrowed))
        #expect(!outline.notifies && outline.listenerPath == nil && outline.listenerMetadata == nil)
        #expect(!plain.filter.hasListener)
    }

    @Test func anyOtherTextIsAnotherEntry() throws {
        let cache = try CacheDirectory()
        // Lengths around the eight bytes and the page in which texts are compared.
        for length in [1, 7, 8, 9, 4095, 4096, 4097, 9000] {
            let text = [UInt8](repeating: 65, count: length)
            _ = try cache.prepare(profile(), text: text)
            #expect(try cache.prepare(profile(), text: text).wasCached)
            for place in Set([0, length / 2, length - 1]) {
                var other = text
                other[place] = 66
                #expect(SeccompFilter.known(other[...], in: cache.descriptor.borrowed) == nil)
            }
            #expect(SeccompFilter.known((text + [65])[...], in: cache.descriptor.borrowed) == nil)
        }
    }

    /// Two texts can be made that have one name; then the one is not taken for the other.
    @Test func theNameAloneIsNotBelieved() throws {
        // In the first page of those that are compared, and behind it.
        for place in [2, 4095, 4096, 8191, 9000] {
            let text = [UInt8](repeating: 1, count: 9001)
            var other = text
            other[place] = 2
            let cache = try CacheDirectory()
            _ = try cache.prepare(profile(), text: text)
            let entry = cache.onlyEntry
            let foreign = try CacheDirectory()
            _ = try foreign.prepare(section(.allow, [], []), text: other)
            try FileManager.default.removeItem(atPath: entry)
            try FileManager.default.copyItem(atPath: foreign.onlyEntry, toPath: entry)
            #expect(SeccompFilter.known(text[...], in: cache.descriptor.borrowed) == nil, "\(place)")
            #expect(try cache.prepare(profile(), text: text).wasCached == false)
            #expect(try cache.prepare(profile(), text: text).wasCached)
        }
    }

    @Test func anEntryIsOfThisLibraryAndKernel() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let head = try Data(contentsOf: URL(fileURLWithPath: cache.onlyEntry)).prefix(200)
        let lines = head.split(separator: 10).prefix(4).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines.prefix(3) == ["apus seccomp 04", SeccompFilter.libraryVersion, release])
        #expect(UInt32(lines.last ?? "") != nil)
    }

    @Test func onlyTextsOfAUsualLengthAreKept() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile(), text: [])
        _ = try cache.prepare(profile(), text: [UInt8](repeating: 65, count: 262_145))
        #expect(cache.entries.isEmpty)
        let longest = [UInt8](repeating: 65, count: 262_144)
        _ = try cache.prepare(profile(), text: longest)
        #expect(try cache.prepare(profile(), text: longest).wasCached)
    }

    @Test func everyDamagedByteIsNoticedAndRepaired() throws {
        let cache = try CacheDirectory()
        let good = try cache.prepare(profile()).filter
        let entry = URL(fileURLWithPath: cache.onlyEntry)
        let whole = try Data(contentsOf: entry)
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 0x01
            try damaged.write(to: entry)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: entry.path)
            let preparation = try cache.prepare(profile())
            try #require(!preparation.wasCached, "byte \(position)")
            try #require(preparation.filter == good)
            try #require(try Data(contentsOf: entry) == whole)
        }
    }

    @Test(arguments: [0, 1, 16, 59, 60, 100]) func shortEntriesAreNoticed(_ size: Int) throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        let entry = URL(fileURLWithPath: cache.onlyEntry)
        try Data(contentsOf: entry).prefix(size).write(to: entry)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: entry.path)
        #expect(try cache.prepare(profile()).wasCached == false)
        #expect(try cache.prepare(profile()).wasCached)
    }

    @Test(arguments: [0o644, 0o660, 0o400]) func entriesThatOthersMayTouchAreNotBelieved(_ mode: Int) throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: cache.onlyEntry)
        #expect(try cache.prepare(profile()).wasCached == false)
        #expect(try cache.prepare(profile()).wasCached)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to give a file away")) func entriesOfAnotherOwnerAreNotBelieved()
        throws
    {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        #expect(chown(cache.onlyEntry, 1234, 0) == 0)
        #expect(try cache.prepare(profile()).wasCached == false)
        #expect(try cache.prepare(profile()).wasCached)
    }

    @Test func linksAndPipesAreNotFollowed() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        let entry = cache.onlyEntry
        try FileManager.default.moveItem(atPath: entry, toPath: entry + ".moved")
        try FileManager.default.createSymbolicLink(atPath: entry, withDestinationPath: entry + ".moved")
        #expect(try cache.prepare(profile()).wasCached == false)
        try FileManager.default.removeItem(atPath: entry)
        #expect(mkfifo(entry, 0o600) == 0)
        #expect(try cache.prepare(profile()).wasCached == false)
        #expect(try cache.prepare(profile()).wasCached)
    }

    @Test func theCacheStaysSmall() throws {
        let cache = try CacheDirectory()
        for errno in 1...100 { _ = try cache.prepare(profile(UInt16(errno))) }
        #expect(cache.entries.count == 64)
        #expect(try cache.prepare(profile(100)).wasCached)
        #expect(!cache.entries.contains { $0.hasPrefix(".") })
    }

    @Test func aDirectoryThatOthersMayWriteIsNotUsed() throws {
        let cache = try CacheDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o770], ofItemAtPath: cache.path)
        let preparation = try cache.prepare(section(.allow, [], []))
        #expect(cache.entries.isEmpty)
        #expect(
            preparation.warnings == [
                "the seccomp cache is not used: its directory belongs to, or can be written by, another user"
            ]
        )
    }

    @Test func aMissingDirectoryIsNoFailure() throws {
        let cache = try CacheDirectory()
        try FileManager.default.removeItem(atPath: cache.path)
        let preparation = try cache.prepare(section(.allow, [], []))
        #expect(!preparation.wasCached)
        #expect(
            preparation.warnings == ["write a seccomp filter to the cache (open): ENOENT (no such file or directory)"]
        )
    }
}
