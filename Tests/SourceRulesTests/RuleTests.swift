// The rules that the compiler does not know. Each names the file and line, so that its failure is its own explanation;
// the reasons are in docs/ARCHITECTURE.md.

import Foundation
import Testing

@Suite("Source rules")
struct RuleTests {
    /// What each room may import: only what is drawn below it. The siblings Rootfs, Confinement and Cgroups never import
    /// each other; the pure rooms on the left know nothing of the kernel, those on the right nothing of OCI.
    static let allowed: [String: Set<String>] = [
        "JSON": [],
        "OCISpec": ["JSON"],
        "KernelTypes": [],
        "Configuration": ["OCISpec", "KernelTypes"],
        "LinuxSystem": ["CLinux", "Glibc", "KernelTypes"],
        "Diagnostics": ["LinuxSystem"],
        "DBus": ["LinuxSystem", "Diagnostics"],
        "Systemd": ["DBus", "LinuxSystem", "Diagnostics"],
        "PathResolution": ["KernelTypes", "LinuxSystem", "Diagnostics"],
        "Rootfs": ["KernelTypes", "Configuration", "PathResolution", "LinuxSystem", "Diagnostics"],
        "Confinement": [
            "KernelTypes", "Configuration", "PathResolution", "LinuxSystem", "Diagnostics", "CSeccomp", "CCap",
            "CSELinux",
        ],
        // Glibc for two functions of mathematics.
        "Cgroups": [
            "KernelTypes", "Configuration", "PathResolution", "LinuxSystem", "Diagnostics", "Systemd", "DBus", "Glibc",
        ],
        "Records": ["Cgroups", "Systemd", "Configuration", "JSON", "KernelTypes", "LinuxSystem", "Diagnostics"],
        "Launch": [
            "KernelTypes", "Records", "Rootfs", "Confinement", "Cgroups", "OCISpec", "JSON", "Configuration",
            "PathResolution", "LinuxSystem", "Diagnostics", "Systemd",
        ],
        "CRIU": ["Launch", "KernelTypes", "LinuxSystem", "Diagnostics"],
        "Lifecycle": [
            "CRIU", "KernelTypes", "Launch", "Records", "Rootfs", "Confinement", "Cgroups", "Configuration",
            "PathResolution",
            "LinuxSystem", "Diagnostics", "OCISpec", "JSON", "Systemd",
        ],
        "RuntimeCLI": [
            "CRIU", "KernelTypes", "Lifecycle", "Launch", "Records", "Confinement", "Configuration", "Diagnostics",
            "LinuxSystem", "OCISpec",
            "JSON",
        ],
        "apus": ["RuntimeCLI"],
    ]

    static func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ").map(String.init)
        guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
            words[..<index].allSatisfy({
                ["internal", "package", "public", "private", "fileprivate"].contains($0) || $0.hasPrefix("@")
            })
        else { return nil }
        return words.last.map { String($0.split(separator: ".")[0]) }
    }

    @Test func importsFollowTheDrawing() {
        #expect(SourceTree.sources.count > 100)
        for file in SourceTree.sources {
            for line in file.code {
                guard let module = Self.importedModule(line.text) else { continue }
                let isAllowed = Self.allowed[file.room]?.contains(module) ?? false
                #expect(isAllowed, "\(file.path):\(line.number): \(file.room) may not import \(module)")
            }
        }
    }

    @Test func theManifestFollowsTheDrawing() throws {
        let manifest = try SourceTree.text("Package.swift")
        for line in manifest.split(separator: "\n") where line.contains("room(\"") && !line.contains("func ") {
            let names = line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map {
                String($0.element)
            }
            let room = try #require(names.first)
            let allowed = try #require(Self.allowed[room], "\(room) is not in the table of this test")
            for name in names.dropFirst() {
                #expect(allowed.contains(name), "Package.swift: \(room) may not depend on \(name)")
            }
        }
    }

    /// The C library modules have one Swift file each.
    @Test func eachLibraryIsImportedByOneFile() {
        for module in ["CSeccomp", "CCap", "CSELinux"] {
            let files = SourceTree.sources.filter { $0.code.contains { Self.importedModule($0.text) == module } }
            #expect(files.count == 1, "\(module): \(files.map(\.path))")
        }
    }

    /// What starts threads, prints through stdio, traps without words or gives up checks of the compiler.
    static let banned: [(pattern: String, except: String?)] = [
        (#"\bimport (Foundation|FoundationEssentials|Dispatch|Synchronization)\b"#, nil),
        (#"\bTask\s*[{(.]"#, nil),
        (#"\basync\b"#, nil),
        (#"\bactor\b"#, nil),
        (#"\bfatalError\("#, nil),
        (#"\btry!"#, nil),
        (#"\bas!"#, nil),
        (#"(?<![\w.])print\((?!_)"#, "Sources/RuntimeCLI/Verbs.swift"),
        (#"@unchecked Sendable"#, "Sources/LinuxSystem/KernelObjects.swift"),
        (#"nonisolated\(unsafe\)"#, nil),
        (#"@_exported|@testable"#, nil),
        (#"[\w\])]!(?=[\s.,)\]]|$)"#, nil),
    ]

    @Test(arguments: banned.map(\.pattern))
    func nothingBannedIsUsed(pattern: String) throws {
        let exception = Self.banned.first { $0.pattern == pattern }?.except
        let expression = try NSRegularExpression(pattern: pattern)
        for file in SourceTree.sources where file.path != exception {
            for line in file.code {
                let range = NSRange(line.text.startIndex..., in: line.text)
                #expect(
                    expression.firstMatch(in: line.text, range: range) == nil,
                    "\(file.path):\(line.number): \(line.text)"
                )
            }
        }
    }

    /// A descriptor that nobody holds is closed before its borrowed view is used.
    @Test func noViewOfATemporaryDescriptor() {
        for file in SourceTree.sources + SourceTree.tests where !file.path.contains("SourceRulesTests") {
            for line in file.code {
                let isView =
                    line.text.contains(").borrowed.") || line.text.contains(").borrowed,")
                    || line.text.hasSuffix(").borrowed") || line.text.contains(").borrowed)")
                #expect(!isView, "\(file.path):\(line.number): \(line.text)")
            }
        }
    }

    /// No handle is reopened through a link in /proc, which a container could have forged. The exceptions: binding a
    /// socket, in the runtime; and mount(2), for file systems and kernels that have nothing else (MountChange: before
    /// Linux 5.12, which is older than what is supported).
    @Test func noHandleIsReopenedByPath() {
        let allowed: Set<String> = [
            "Sources/LinuxSystem/OwnedFD.swift", "Sources/LinuxSystem/Sockets.swift", "Sources/Rootfs/BindMount.swift",
            "Sources/Rootfs/FileSystemMount.swift", "Sources/Rootfs/MountChange.swift",
        ]
        var found: Set<String> = []
        for file in SourceTree.sources {
            for (offset, line) in file.lines.enumerated() where line.contains("procPath") || line.contains("self/fd/") {
                // Comments, and the links of the container's own /dev.
                if line.contains("//") || line.contains("DeviceLink(") { continue }
                found.insert(file.path)
                #expect(allowed.contains(file.path), "\(file.path):\(offset + 1): \(line)")
            }
        }
        #expect(found == allowed, "no longer needed: \(allowed.subtracting(found))")
    }

    static let longFiles: [String: Int] = [
        // One function a system call; its length is that of the kernel's interface.
        "Sources/CLinux/calls.c": 600
    ]

    @Test func filesAreShort() {
        for file in SourceTree.sources + SourceTree.c + SourceTree.tests {
            let limit = Self.longFiles[file.path] ?? 400
            #expect(file.lines.count <= limit, "\(file.path): \(file.lines.count) lines, at most \(limit)")
        }
    }

    /// The lists of Birth.swift are read from top to bottom; tables are as long as what they list.
    static let longFunctions: Set<String> = ["Sources/Launch/Birth.swift"]

    @Test func functionsAreShort() {
        for file in SourceTree.sources where !Self.longFunctions.contains(file.path) {
            var start: (number: Int, indent: Int)?
            for (number, text) in file.code {
                let indent = text.prefix { $0 == " " }.count
                if text.range(of: #"\b(func \S|init[?(<]|deinit)"#, options: .regularExpression) != nil,
                    start == nil, !text.hasSuffix("}")
                {
                    start = (number, indent)
                } else if let begun = start, indent == begun.indent,
                    text.hasPrefix(String(repeating: " ", count: indent) + "}")
                {
                    #expect(
                        number - begun.number < 60,
                        "\(file.path):\(begun.number): \(number - begun.number + 1) lines"
                    )
                    start = nil
                } else if let begun = start, indent <= begun.indent, !text.isEmpty, text.contains("func ") {
                    start = (number, indent)
                }
            }
        }
    }

    @Test func linesAreShort() {
        for file in SourceTree.sources {
            for (offset, line) in file.lines.enumerated() {
                #expect(line.count <= 140, "\(file.path):\(offset + 1): \(line.count) characters")
                #expect(!line.hasSuffix(" ") && !line.contains("\t"), "\(file.path):\(offset + 1): white space")
            }
        }
    }

    @Test func filesSayWhatTheyDo() {
        for file in SourceTree.sources + SourceTree.c where !file.path.hasSuffix("shim.h") {
            let first = file.lines.first ?? ""
            #expect(first.hasPrefix("//") || first.hasPrefix("/*"), "\(file.path) opens without a comment")
        }
    }

    @Test func nothingIsPutOff() {
        for file in SourceTree.sources + SourceTree.c {
            for (offset, line) in file.lines.enumerated() {
                for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"] {
                    #expect(!line.contains(word), "\(file.path):\(offset + 1): \(line)")
                }
            }
        }
    }

    /// Paths of the machine that something was written on.
    @Test func noPathOfOneMachine() {
        let documents =
            SourceTree.files(below: "docs", endings: ["md", "1"])
            + SourceTree.files(below: "conformance", endings: ["py", "md", "json"])
        let words = ["/wo" + "rk/", "/tmp" + "/w/", "/ho" + "me/"]
        for file in SourceTree.sources + SourceTree.c + SourceTree.tests + documents {
            for (offset, line) in file.lines.enumerated() {
                let found = words.first { line.contains($0) }
                #expect(found == nil || line.contains("http"), "\(file.path):\(offset + 1): \(line)")
            }
        }
    }

    /// No `Utils`: a helper lives beside its one caller, or becomes a named concept.
    @Test func filesHaveASubject() {
        for file in SourceTree.sources {
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            for word in ["Util", "Helper", "Common", "Misc", "Extensions"] {
                #expect(!name.contains(word), "\(file.path)")
            }
        }
    }

    /// Every fixture is read by a test: its folder stands in one.
    @Test func everyFixtureFolderIsUsed() throws {
        let fixtures = SourceTree.files(below: "spec-fixtures", endings: ["json", "txt"])
        #expect(fixtures.count > 400)
        let tests = (SourceTree.tests + SourceTree.files(below: "Tests", endings: ["py", "run", "capture"])).map {
            $0.lines.joined(separator: "\n")
        }.joined(separator: "\n")
        for folder in Set(fixtures.map { Array($0.path.split(separator: "/").dropFirst().dropLast()) }) {
            let name = folder.prefix(2).joined(separator: "/")
            let isNamed =
                tests.contains("\"\(name)") || tests.contains("/\(name)")
                || folder.prefix(2).allSatisfy { tests.contains("\"\($0)") }
                || tests.contains("spec-fixtures/\(name)")
            #expect(isNamed, "no test reads spec-fixtures/\(name)")
        }
    }
}
