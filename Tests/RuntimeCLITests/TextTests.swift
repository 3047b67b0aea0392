// Help, manual, completion, listings, version and features: what people and engines read.

import Foundation
import LinuxSystem
import OCISpec
import Testing

@testable import RuntimeCLI

private func text(_ words: String...) throws -> String {
    let invocation = try Invocation.parse(words, in: Surroundings(userID: 0, runtimeDirectory: nil))
    guard case .text(let text) = invocation.command else {
        Issue.record("\(words) is no call for a text")
        return ""
    }
    return text
}

@Test func programHelp() throws {
    let help = try text("--help")
    #expect(help.hasPrefix("NAME:\n   apus - Open Container Initiative runtime\n"))
    for verb in Verb.table { #expect(help.contains("\n   \(verb.name.rawValue) ")) }
    for spelling in Verb.globalOptions.flatMap(\.spellings) { #expect(help.contains(spelling)) }
    for words in [[], ["-h"], ["help"]] {
        let invocation = try Invocation.parse(words, in: Surroundings(userID: 0, runtimeDirectory: nil))
        #expect(invocation.command == .text(help))
    }
}

@Test(arguments: VerbName.allCases)
func verbHelp(_ name: VerbName) throws {
    let verb = try #require(Verb.named(name.rawValue))
    let help = try text(name.rawValue, "--help")
    #expect(help.hasPrefix("NAME:\n   apus \(name.rawValue) - "))
    for section in ["\nUSAGE:\n", "\nOPTIONS:\n"] { #expect(help.contains(section)) }
    for row in verb.options {
        for spelling in row.spellings { #expect(help.contains(spelling)) }
        for word in row.choices { #expect(help.contains(word)) }
    }
    #expect(try text("help", name.rawValue) == help)
    // Behind an id that another program's words follow, an option is that program's and no call for help.
    if !verb.passesOptionsOn { #expect(try text(name.rawValue, "web1", "-h", "--foo") == help) }
}

@Test func optionsDiffer() {
    for rows in [Verb.globalOptions] + Verb.table.map(\.options) {
        let spellings = rows.flatMap(\.spellings)
        #expect(Set(spellings).count == spellings.count)
    }
}

@Test(arguments: ["bash", "zsh", "fish", "man"])
func generatedTextNamesEverything(_ kind: String) throws {
    let text = try kind == "man" ? text("man") : text("completion", kind)
    for verb in Verb.table {
        #expect(text.contains(verb.name.rawValue))
        for row in verb.options {
            let name = kind == "man" ? row.name.rawValue.replacingOccurrences(of: "-", with: "\\-") : row.name.rawValue
            #expect(text.contains(name))
        }
    }
}

@Test(arguments: ["bash", "zsh", "fish"])
func completionIsAcceptedByItsShell(_ shell: String) throws {
    let path = "/usr/bin/\(shell)"
    guard FileManager.default.isExecutableFile(atPath: path) else { return }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("apus-completion-\(shell)-\(getpid())")
    try text("completion", shell).write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = try Foundation.Process.run(URL(fileURLWithPath: path), arguments: ["-n", file.path])
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
}

@Test func version() {
    #expect(Version.text(libseccomp: "2.5.4") == "apus version \(Version.number)\nspec: 1.3.0\nlibseccomp: 2.5.4\n")
}

@Test func featuresDocument() throws {
    let text = try FeaturesReport.text(libseccomp: "2.5.4")
    #expect(text.hasPrefix("{\n    \"ociVersionMin\": \"1.0.0\",\n    \"ociVersionMax\": \"1.3.0\",\n    \"hooks\": ["))
    #expect(text.hasSuffix("\n}\n"))
    let features = try JSONDecoder().decode(Features.self, from: Data(text.utf8))
    let linux = try #require(features.linux)
    // What containerd and CRI-O gate on.
    #expect(features.mountOptions?.contains("rro") == true)
    #expect(linux.namespaces?.contains("user") == true)
    #expect(linux.mountExtensions?.idmap?.enabled == true)
    #expect(linux.namespaces?.count == 8)
    #expect(linux.capabilities?.count == 41)
    #expect(linux.seccomp?.archs?.contains("SCMP_ARCH_X86_64") == true)
    #expect(linux.cgroup?.systemd == true && linux.cgroup?.systemdUser == true)
    for list in [features.mountOptions, linux.seccomp?.actions, linux.seccomp?.archs] {
        #expect(list == list?.sorted())
    }
}

private func container(_ id: String, bundle: String, annotations: OrderedMap<String> = [:]) -> ContainerListing {
    ContainerListing(
        ociVersion: "1.3.0",
        id: id,
        pid: 42,
        status: .running,
        bundle: bundle,
        rootfs: bundle + "/rootfs",
        created: "2026-01-02T03:04:05.000000006Z",
        annotations: annotations,
        owner: "root"
    )
}

@Test func tableListing() {
    let containers = [container("web1", bundle: "/b"), container("é-long-container-id", bundle: "/a/long/bundle")]
    #expect(
        Listing.text(of: containers, ListOptions()) == """
            ID                    PID         STATUS      BUNDLE           CREATED                          OWNER
            web1                  42          running     /b               2026-01-02T03:04:05.000000006Z   root
            é-long-container-id   42          running     /a/long/bundle   2026-01-02T03:04:05.000000006Z   root

            """
    )
    #expect(
        Listing.text(of: [], ListOptions())
            == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"
    )
}

@Test func quietAndJSONListing() {
    var options = ListOptions()
    options.format = .json
    #expect(Listing.text(of: [], options) == "[]\n")
    #expect(
        Listing.text(of: [container("a", bundle: "/b", annotations: ["k": "\"v\""])], options)
            == #"[{"ociVersion":"1.3.0","id":"a","pid":42,"status":"running","bundle":"/b","rootfs":"/b/rootfs","#
            + #""created":"2026-01-02T03:04:05.000000006Z","annotations":{"k":"\"v\""},"owner":"root"}]"# + "\n"
    )
    options.quiet = true
    #expect(Listing.text(of: [container("a", bundle: "/b"), container("b", bundle: "/b")], options) == "a\nb\n")
}

@Test func stateText() {
    #expect(
        Listing.text(of: container("a", bundle: "/b")) == """
            {
              "ociVersion": "1.3.0",
              "id": "a",
              "pid": 42,
              "status": "running",
              "bundle": "/b",
              "rootfs": "/b/rootfs",
              "created": "2026-01-02T03:04:05.000000006Z",
              "owner": "root"
            }
            """
    )
}

@Test func exitStatus() {
    #expect(ExitStatus.exited(3).rawValue == 3)
    #expect(ExitStatus.killed(by: 9).rawValue == 137)
}

/// `man` prints what the manual in docs holds.
@Test func manualInDocsIsCurrent() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/apus.1").standardizedFileURL
    #expect(try String(contentsOf: file, encoding: .utf8) == text("man"), "run `apus man > docs/apus.1`")
}

@Test(arguments: [("^web", "web1", true), ("^web", "aweb1", false), ("a|b$", "xb", true), ("", "x", true)])
func extendedPattern(_ pattern: String, _ text: String, _ matches: Bool) {
    guard let compiled = ExtendedPattern(pattern) else {
        Issue.record("\(pattern) was not accepted")
        return
    }
    #expect(compiled.matches(text) == matches)
}

@Test(arguments: ["[", "(", "a\u{0}b"])
func malformedPatternIsRefused(_ pattern: String) {
    if ExtendedPattern(pattern) != nil { Issue.record("\(pattern) was accepted") }
}
