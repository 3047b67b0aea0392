// `exec` as callers spell it, and every mistake with its exact sentence.

import Testing

@testable import RuntimeCLI

private let root = Surroundings(userID: 0, runtimeDirectory: nil)

private func parse(_ words: [String]) throws -> Command {
    try Invocation.parse(["exec"] + words, in: root).command
}

private func exec(
    _ words: [String],
    _ edit: (inout ExecOptions) -> Void = { _ in },
    process: (inout ProcessOptions) -> Void = { _ in }
) -> Command {
    var changes = ProcessOptions()
    process(&changes)
    var options = ExecOptions(id: "web1", program: .command(words, changes))
    edit(&options)
    return .exec(options)
}

private func file(_ path: String, tty: Bool = false, _ edit: (inout ExecOptions) -> Void) -> Command {
    var options = ExecOptions(id: "web1", program: .file(path, tty: tty))
    edit(&options)
    return .exec(options)
}

@Suite("Words of exec")
struct ExecWordsTests {
    @Test func commandsKeepTheirOwnOptions() throws {
        #expect(try parse(["web1", "ls", "-l", "--all"]) == exec(["ls", "-l", "--all"]))
        #expect(try parse(["web1", "--", "ls", "--", "-d"]) == exec(["ls", "--", "-d"]))
        #expect(try parse(["--", "web1", "ls"]) == exec(["ls"]))
        #expect(try parse(["-d", "web1", "-d"]) == exec(["-d"]) { $0.detach = true })
        #expect(try parse(["-t", "web1", "sh", "--help"]) == exec(["sh", "--help"], process: { $0.tty = true }))
    }

    /// As containerd's shim, conmon, buildkit and conmon-rs call it.
    @Test func whatCallersSay() throws {
        #expect(
            try parse(["--process", "/p", "--console-socket", "/s", "--detach", "--pid-file", "/pid", "web1"])
                == file("/p") {
                    $0.consoleSocket = "/s"
                    $0.detach = true
                    $0.pidFile = "/pid"
                }
        )
        #expect(
            try parse(["--pid-file", "/pid", "--process", "/p", "--detach", "--preserve-fds", "2", "--tty", "web1"])
                == file("/p", tty: true) {
                    $0.detach = true
                    $0.pidFile = "/pid"
                    $0.preserveFDs = 2
                }
        )
        #expect(
            try parse(["-d", "--console-socket=/s", "--tty", "--pid-file=/pid", "web1", "sh", "-c", "x"])
                == exec(["sh", "-c", "x"]) {
                    $0.detach = true
                    $0.consoleSocket = "/s"
                    $0.pidFile = "/pid"
                } process: {
                    $0.tty = true
                }
        )
    }

    @Test func everyChange() throws {
        let words = [
            "--cwd", "/x", "-e", "A=1", "--env=B==", "-u", "1:2", "-g", "3", "--additional-gids", "4", "-c", "CAP_KILL",
            "-c", "kill",
            "--no-new-privs", "--apparmor", "p", "--process-label", "l", "--cgroup", "a/b", "--cgroup=cpu,pids:/c",
            "--ignore-paused", "--pidfd-socket", "/f", "web1", "true",
        ]
        #expect(
            try parse(words)
                == exec(["true"]) {
                    $0.cgroups = [
                        ExecOptions.Cgroup(controllers: [], path: "a/b"),
                        ExecOptions.Cgroup(controllers: ["cpu", "pids"], path: "/c"),
                    ]
                    $0.ignorePaused = true
                    $0.pidfdSocket = "/f"
                } process: {
                    $0.cwd = "/x"
                    $0.environment = ["A=1", "B=="]
                    ($0.userID, $0.groupID) = (1, 2)
                    $0.additionalGroups = [3, 4]
                    $0.capabilities = ["CAP_KILL"]
                    $0.unknownCapabilities = ["kill"]
                    $0.noNewPrivileges = true
                    $0.apparmorProfile = "p"
                    $0.selinuxLabel = "l"
                }
        )
    }

    static let mistakes: [(words: [String], message: String)] = [
        ([], "\"apus exec\" requires at least 1 argument"),
        (["web1"], "\"apus exec\" requires a command behind the id, or --process"),
        (["-p", "/p", "web1", "true"], "\"apus exec\" takes a command or --process, not both"),
        (["-p", "/p", "-u", "1", "web1"], "--user: cannot be given with --process, whose file says it all"),
        (["--frob", "web1", "true"], "unknown option --frob"),
        (["--root", "/x", "web1", "true"], "unknown option --root, which goes before the command"),
        (["--cwd", "x", "web1", "true"], "--cwd: \"x\" is not an absolute path"),
        (["-e", "A=1", "-e", "SECRET", "web1", "true"], "--env: the second one is not of the form NAME=VALUE"),
        (["-e", "=x", "web1", "true"], "--env: the first one is not of the form NAME=VALUE"),
        (["-g", "wheel", "web1", "true"], "--additional-gids: \"wheel\" is not a number from 0 to 4294967294"),
        (["--cgroup", "../x", "web1", "true"], "--cgroup: \"../x\" leads out of the container's cgroup"),
        (
            ["--cgroup", "../\u{301}x", "web1", "true"],
            "--cgroup: \"../\u{301}x\" leads out of the container's cgroup"
        ),
        (["--cgroup", ":x", "web1", "true"], "--cgroup: \":x\" is not [CONTROLLER[,CONTROLLER...]:]PATH"),
        (["--preserve-fds", "-1", "web1", "true"], "--preserve-fds: \"-1\" is not a number from 0 to 2147483647"),
    ]

    /// CVE-2026-30892: what is not a number never counts as root.
    static let users = ["x", "1:", ":1", "-1", "+1", "0x1", " 1", "1 ", "4294967295", "4294967296", "1:2:3", "²"]

    @Test(arguments: mistakes.indices)
    func mistake(index: Int) {
        expect(Self.mistakes[index].words, Self.mistakes[index].message)
    }

    @Test(arguments: users)
    func notAUser(user: String) {
        expect(
            ["-u", user, "web1", "true"],
            "--user: \"\(user)\" is not UID or UID:GID, numbers from 0 to 4294967294"
        )
    }

    private func expect(_ words: [String], _ message: String) {
        do {
            _ = try parse(words)
            Issue.record("\(words) was accepted")
        } catch {
            let problem = error as? UsageProblem
            #expect(problem?.message == message + "; see \"apus exec --help\"")
            #expect(problem?.status == .execFailure)
        }
    }
}
