// `--log` that is no file: what the journal and the system log are sent. And what is said where there is no log.

import Foundation
import Testing

@Suite("Log destinations", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct LogDestinationTests {
    /// Runs a command where `directory` of the machine is an empty one with a link to the listener's socket.
    static func apus(_ box: Sandbox, seeing socket: String, at path: String, _ words: String...) throws -> Outcome {
        let root = "/" + path.split(separator: "/")[0]
        let parent = (path as NSString).deletingLastPathComponent
        let script =
            "mount -t tmpfs tmpfs \(root) && mkdir -p \(parent) && ln -s \(socket) \(path) && exec \"$@\""
        return try box.start(words, prefix: ["/usr/bin/unshare", "-m", "/bin/busybox", "sh", "-c", script, "sh"])
            .wait()
    }

    static let journal = "/run/systemd/journal/socket"

    @Test func theJournalGetsFields() throws {
        try Sandbox.use("log-journal") { box in
            let listener = try DatagramListener(box.directory + "/journal")
            let outcome = try Self.apus(
                box,
                seeing: listener.address,
                at: Self.journal,
                "--log=journald:web",
                "state",
                box.id
            )
            let text = "state \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            #expect(outcome.status == 1 && outcome.errors == "apus: \(text)\n", "\(outcome)")
            let entry = try #require(listener.next())
            #expect(
                entry == """
                    MESSAGE=\(text)
                    PRIORITY=3
                    SYSLOG_IDENTIFIER=web
                    APUS_CODE=container-not-found
                    APUS_SUBJECT=\(box.id)

                    """
            )
            #expect(listener.isQuiet)
        }
    }

    @Test func theSystemLogGetsALine() throws {
        try Sandbox.use("log-syslog") { box in
            let listener = try DatagramListener(box.directory + "/log")
            let words = ["--log", "syslog:web", "--log-format", "json", "state", box.id]
            let prefix = ["/usr/bin/unshare", "-m", "/bin/busybox", "sh", "-c"]
            let script = "mount -t tmpfs tmpfs /dev && ln -s \(listener.address) /dev/log && exec \"$@\""
            let outcome = try box.start(words, prefix: prefix + [script, "sh"]).wait()
            #expect(outcome.status == 1, "\(outcome)")
            let line = try #require(listener.next())
            let form = #/<11>web\[[0-9]+\]: state .* does not exist: .* \(state root .*\)/#
            #expect(line.wholeMatch(of: form) != nil, "\(line)")
            #expect(listener.isQuiet)
        }
    }

    /// A container's life does not depend on a daemon that keeps logs.
    @Test func nobodyListens() throws {
        try Sandbox.use("log-nobody") { box in
            try box.configure(box.document("exit 3"))
            let nobody = box.directory + "/nobody"
            #expect(
                try Self.apus(box, seeing: nobody, at: Self.journal, "--log", "journald:x", "run", box.id).status == 3
            )
            let failure = try Self.apus(box, seeing: nobody, at: Self.journal, "--log", "journald:x", "state", box.id)
            #expect(failure.status == 1 && failure.errors.hasPrefix("apus: state \(box.id): "), "\(failure)")
        }
    }

    /// buildah asks for ambient capabilities that no longer are inheritable, and mixes what the runtime says into what
    /// the container printed.
    @Test func voidAmbientCapabilitiesAreForTheLog() throws {
        try Sandbox.use("log-ambient") { box in
            var document = box.document("exit 3")
            document.change("process") { process in
                let sets = ["bounding", "effective", "permitted", "ambient"]
                process["capabilities"] = Dictionary(uniqueKeysWithValues: sets.map { ($0, ["CAP_KILL"]) })
            }
            try box.configure(document)
            let sentence = "process.capabilities.ambient: CAP_KILL cannot be granted: it is not in both permitted and"
            let silent = try box.apus("run", box.id)
            #expect(silent.status == 3 && silent.errors.isEmpty, "\(silent)")
            for words in [["--log-level", "warning"], ["--debug"]] {
                let told = try box.start(words + ["run", box.id]).wait()
                #expect(told.status == 3 && told.errors.contains("level=warning msg=\"\(sentence)"), "\(told)")
            }
            let log = box.directory + "/log"
            #expect(try box.apus("--log", log, "run", box.id).errors.isEmpty)
            #expect(try #require(box.contents(log)).contains("level=warning msg=\"\(sentence)"))
            #expect(try box.apus("--log", log, "--log-level", "error", "run", box.id).errors.isEmpty)
            #expect(try #require(box.contents(log)).split(separator: "\n").count == 1)

            // A name that does not exist is a mistake of whoever wrote it.
            document.change("process") { $0["capabilities"] = ["bounding": ["CAP_MAGIC"]] }
            try box.configure(document)
            #expect(try box.apus("run", box.id).errors.contains("CAP_MAGIC"))
        }
    }
}
