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

    func prepare(_ profile: SeccompConfiguration) throws -> SeccompFilter.Preparation {
        try SeccompFilter.prepare(profile, cache: descriptor.borrowed)
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

    @Test func everythingThatDecidesTheProgramDecidesTheEntry() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        var variants: [SeccompConfiguration] = []
        variants.append(profile(2))
        variants.append(profile(names: ["mkdir"]))
        variants.append(profile(names: ["mkdirn", "o_such_call"]))
        var other = profile()
        other.architectures = ["SCMP_ARCH_X86"]
        variants.append(other)
        other = profile()
        other.defaultAction = .log
        variants.append(other)
        for (index, comparison, value, valueTwo) in [
            (UInt32(0), SeccompConfiguration.Operator.equal, UInt64(1), UInt64(0)), (1, .equal, 1, 0),
            (0, .notEqual, 1, 0),
            (0, .equal, 2, 0), (0, .maskedEqual, 1, 0), (0, .maskedEqual, 1, 1),
        ] {
            let condition = Condition(index: index, comparison: comparison, value: value, valueTwo: valueTwo)
            variants.append(section(.allow, [], [Rule(names: ["mkdir"], action: .errno(1), conditions: [condition])]))
        }
        for variant in variants {
            #expect(try cache.prepare(variant).wasCached == false)
            #expect(try cache.prepare(variant).wasCached)
        }
        #expect(cache.entries.count == variants.count + 1)
    }

    @Test func flagsBelongToTheLoad() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        var logged = profile()
        logged.flags = ["SECCOMP_FILTER_FLAG_LOG"]
        let preparation = try cache.prepare(logged)
        #expect(preparation.wasCached)
        #expect(preparation.filter.flags == 2)
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

    @Test func anEntryOfAnotherProfileIsNotBelieved() throws {
        let cache = try CacheDirectory()
        _ = try cache.prepare(profile())
        let entry = cache.onlyEntry
        let foreign = try CacheDirectory()
        _ = try foreign.prepare(section(.allow, [], []))
        try FileManager.default.removeItem(atPath: entry)
        try FileManager.default.copyItem(atPath: foreign.onlyEntry, toPath: entry)
        #expect(try cache.prepare(profile()).wasCached == false)
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

@Suite struct SHA256Tests {
    /// The examples of FIPS 180-2 and lengths around the padding's borders, the latter computed with sha256sum(1).
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        (String(repeating: "b", count: 55), "eb2c86e932179f4ba13fe8715a26124b77d6bad290b9b4c1cc140cf633300c19"),
        (String(repeating: "b", count: 56), "a5fc6e203a4c2b657d0d153885932414b2ffc6a93f0f8bf8b3183315e5a7212c"),
        (String(repeating: "b", count: 63), "94e419fabac7f930810f9636354042f8c1426d2f834d4ab65c93dc1e69326b13"),
        (String(repeating: "b", count: 64), "a0fab1377f49a759b57f63318262ebe89fabfc990e8e93ceac2984561482b9d4"),
        (String(repeating: "b", count: 119), "68297a9eb141ce16bbc0847da1c0c48e2858704feaa13993bde29f87a198a6e1"),
        (String(repeating: "b", count: 120), "392add47fbaa8197a874ebe770a947a26dd6f2becce5f64688cc4d18c9da93bd"),
    ]) func digestsAreTheStandards(_ text: String, _ digest: String) {
        #expect(SHA256.digest(Array(text.utf8)).map { String(format: "%02x", $0) }.joined() == digest)
    }
}
