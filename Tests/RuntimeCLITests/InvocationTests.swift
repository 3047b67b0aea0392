// Every spelling that callers use, and every mistake with its exact sentence.

import Testing

@testable import RuntimeCLI

private let root = Surroundings(userID: 0, runtimeDirectory: "/run/user/0")

private func parse(_ line: String, in surroundings: Surroundings = root) throws -> Invocation {
    try Invocation.parse(words(line), in: surroundings)
}

/// Splits at spaces; `''` is an empty word.
private func words(_ line: String) -> [String] {
    line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
}

private func create(_ edit: (inout CreateOptions) -> Void) -> Command {
    var options = CreateOptions()
    edit(&options)
    return .create(options, id: "web1")
}

private func run(_ edit: (inout RunOptions) -> Void) -> Command {
    var options = RunOptions()
    edit(&options)
    return .run(options, id: "web1")
}

private func kill(_ signal: String, all: Bool = false) -> Command {
    var options = KillOptions(.ids(["web1"]))
    options.signal = signal
    options.all = all
    return .kill(options)
}

private func delete(_ containers: ContainerSelection = .ids(["web1"]), force: Bool = false) -> Command {
    var options = DeleteOptions(containers)
    options.force = force
    return .delete(options)
}

private func list(_ format: ListFormat, quiet: Bool = false) -> Command {
    var options = ListOptions()
    options.format = format
    options.quiet = quiet
    return .list(options)
}

struct Accepted: Sendable, CustomTestStringConvertible {
    let line: String
    let command: Command
    var testDescription: String { line }

    init(_ line: String, _ command: Command) {
        self.line = line
        self.command = command
    }
}

private let callers = [
    // containerd's shim
    Accepted(
        "--root /r/ns --log /b/log.json --log-format json create --bundle /b --pid-file /b/init.pid "
            + "--console-socket /s --no-pivot --no-new-keyring web1",
        create {
            $0.bundle = "/b"
            $0.pidFile = "/b/init.pid"
            $0.consoleSocket = "/s"
            $0.noPivot = true
            $0.noNewKeyring = true
        }
    ),
    Accepted("--root /r/ns --log /b/log.json --log-format json start web1", .start(id: "web1")),
    Accepted("--root /r/ns --log /b/log.json --log-format json kill web1 9", kill("9")),
    Accepted("--root /r/ns --log /b/log.json --log-format json kill --all web1 9", kill("9", all: true)),
    Accepted("--root /r/ns --log /b/log.json --log-format json delete web1", delete()),
    Accepted("--root /r/ns --log /b/log.json --log-format json delete --force web1", delete(force: true)),
    Accepted("--root /r/ns --systemd-cgroup kill web1 9", kill("9")),
    // conmon
    Accepted(
        "--log-format=json --log=/b/oci-log --root=/r create --bundle /b --pid-file /p --preserve-fds 2 "
            + "--console-socket /s web1",
        create {
            $0.bundle = "/b"
            $0.pidFile = "/p"
            $0.preserveFDs = 2
            $0.consoleSocket = "/s"
        }
    ),
    // podman and CRI-O
    Accepted("--cgroup-manager disabled start web1", .start(id: "web1")),
    Accepted("--root /r --systemd-cgroup state web1", .state(id: "web1")),
    Accepted("--root /r kill web1 KILL", kill("KILL")),
    Accepted("--root /r kill -a web1 9", kill("9", all: true)),
    // conmon-rs names the root twice
    Accepted("--root /r --root /r --log-level debug start web1", .start(id: "web1")),
    // buildah
    Accepted(
        "create --bundle /b --pid-file /b/pid --no-new-keyring web1",
        create {
            $0.bundle = "/b"
            $0.pidFile = "/b/pid"
            $0.noNewKeyring = true
        }
    ),
    Accepted("state web1", .state(id: "web1")),
    Accepted("kill web1", kill("TERM")),
    Accepted("kill web1 SIGKILL", kill("SIGKILL")),
    // buildkit
    Accepted(
        "--log /r/runc-log.json --log-format json run --bundle /b --no-pivot --keep web1",
        run {
            $0.create.bundle = "/b"
            $0.create.noPivot = true
            $0.keep = true
        }
    ),
    // go-runc
    Accepted("--rootless=false list --format=json", list(.json)),
    Accepted("features", .features),
]

private let spellings = [
    Accepted("create -b /b web1", create { $0.bundle = "/b" }),
    Accepted("create -b=/b web1", create { $0.bundle = "/b" }),
    Accepted("create -b/b web1", create { $0.bundle = "/b" }),
    Accepted("create -bundle /b web1", create { $0.bundle = "/b" }),
    Accepted("create --bundle=/b=c web1", create { $0.bundle = "/b=c" }),
    Accepted("create --bundle /a --bundle /b web1", create { $0.bundle = "/b" }),
    Accepted("create --bundle '' --pid-file= web1", create { _ in }),
    Accepted("create web1 --bundle /b", create { $0.bundle = "/b" }),
    Accepted("create --pid-file --no-pivot web1", create { $0.pidFile = "--no-pivot" }),
    Accepted("create -no-subreaper --config /c -- web1", create { ($0.noSubreaper, $0.configFile) = (true, "/c") }),
    Accepted("create --pidfd-socket /s -f /c web1", create { ($0.pidfdSocket, $0.configFile) = ("/s", "/c") }),
    Accepted("run -d=false --keep=true web1", run { $0.keep = true }),
    Accepted("run --detach --detach=0 web1", run { _ in }),
    Accepted("start -- -web1", .start(id: "-web1")),
    Accepted("list -qfjson", list(.json, quiet: true)),
    Accepted("list -qf json", list(.json, quiet: true)),
    Accepted("list", list(.table)),
    Accepted("delete a b -f", delete(.ids(["a", "b"]), force: true)),
    Accepted("delete --regex ^web", delete(.matching("^web"))),
    Accepted("--version", .version),
    Accepted("-v", .version),
    Accepted("--debug -V create", .version),
]

@Test(arguments: callers + spellings)
func isUnderstood(_ accepted: Accepted) throws {
    #expect(try parse(accepted.line).command == accepted.command)
}

@Test func specAndExplain() throws {
    var spec = SpecOptions()
    spec.bundle = "/b"
    spec.file = "/f"
    spec.rootless = true
    #expect(try parse("spec -b /b -f /f --rootless").command == .spec(spec))
    var explain = ExplainOptions()
    explain.bundle = "/b"
    explain.configFile = "/c"
    explain.format = .json
    #expect(try parse("explain -f /c --format json /b").command == .explain(explain))
    explain.bundle = "/other"
    #expect(try parse("explain --bundle /other -f /c --format json").command == .explain(explain))
    #expect(try parse("explain").command == .explain(ExplainOptions()))
}

@Test func globalOptions() throws {
    let given = try parse(
        "-root=/r --log file:/l --log-format json --log-level error --debug --cgroup-manager disabled --rootless true "
            + "features"
    ).globals
    #expect(given.root == "/r")
    #expect(given.log == .file("/l"))
    #expect(given.logFormat == .json)
    #expect(given.logLevel == .error)
    #expect(given.level == .debug)
    #expect(given.cgroupManager == .disabled)
    #expect(given.rootless == .yes)
    #expect(try parse("--debug --debug=false features").globals.level == .warning)
    #expect(try parse("--log /l features").globals.isLevelChosen == false)
    #expect(try parse("--log-level warning features").globals.isLevelChosen)
    #expect(try parse("--criu /usr/sbin/criu features").globals.criu == "/usr/sbin/criu")
    #expect(try parse("features").globals.criu == "criu")
    #expect(try parse("--log journald:x features").globals.log == .journal(identifier: "x"))
    #expect(try parse("--log=syslog: features").globals.log == .systemLog(identifier: "apus"))
    #expect(try parse("--log file:journald:x features").globals.log == .file("journald:x"))
    #expect(try parse("--log file: features").globals.log == nil)
    #expect(try parse("--systemd-cgroup features").globals.cgroupManager == .systemd)
    #expect(try parse("--systemd-cgroup --systemd-cgroup=false features").globals.cgroupManager == .cgroupfs)
}

@Test(arguments: [
    (Surroundings(userID: 0, runtimeDirectory: "/run/user/0"), "/run/apus"),
    (Surroundings(userID: 1000, runtimeDirectory: "/run/user/1000"), "/run/user/1000/apus"),
    (Surroundings(userID: 1000, runtimeDirectory: nil), "/run/apus"),
    (Surroundings(userID: 1000, runtimeDirectory: "relative"), "/run/apus"),
    (Surroundings(userID: 0, runtimeDirectory: "/run/user/1000", isInUserNamespace: true), "/run/user/1000/apus"),
    (Surroundings(userID: 0, runtimeDirectory: nil, isInUserNamespace: true), "/run/apus"),
])
func stateRoot(_ surroundings: Surroundings, _ directory: String) throws {
    #expect(try parse("list", in: surroundings).globals.root == directory)
}

@Test(arguments: [
    ("create", "\"apus create\" requires exactly 1 argument; see \"apus create --help\""),
    ("create a b", "\"apus create\" requires exactly 1 argument; see \"apus create --help\""),
    ("state", "\"apus state\" requires exactly 1 argument; see \"apus state --help\""),
    ("kill", "\"apus kill\" requires 1 to 2 arguments; see \"apus kill --help\""),
    ("delete", "\"apus delete\" requires at least 1 argument; see \"apus delete --help\""),
    ("list a", "\"apus list\" accepts no arguments; see \"apus list --help\""),
    ("explain a b", "\"apus explain\" accepts at most 1 argument; see \"apus explain --help\""),
    ("create --foo web1", "unknown option --foo; see \"apus create --help\""),
    ("create --foo=x web1", "unknown option --foo; see \"apus create --help\""),
    ("list -qx", "unknown option -qx; see \"apus list --help\""),
    ("list --=x", "unknown option --; see \"apus list --help\""),
    ("list -=x", "unknown option -; see \"apus list --help\""),
    ("kill web1 -9", "unknown option -9; see \"apus kill --help\""),
    ("create --root /r web1", "unknown option --root, which goes before the command; see \"apus create --help\""),
    ("--foo create", "unknown option --foo; see \"apus --help\""),
    ("create --pid-file", "flag needs an argument: --pid-file; see \"apus create --help\""),
    ("create -b", "flag needs an argument: --bundle; see \"apus create --help\""),
    ("--root", "flag needs an argument: --root; see \"apus --help\""),
    ("--root / list", "--root: \"/\" cannot hold state; give a directory below /; see \"apus --help\""),
    ("--root= list", "--root: \"\" cannot hold state; give a directory below /; see \"apus --help\""),
    ("run --detach=maybe web1", "--detach: \"maybe\" is not true or false; see \"apus run --help\""),
    ("list -f xml", "--format: \"xml\" is not accepted; choose one of table, json; see \"apus list --help\""),
    ("--log-format xml list", "--log-format: \"xml\" is not accepted; choose one of text, json; see \"apus --help\""),
    (
        "create --preserve-fds -1 web1",
        "--preserve-fds: \"-1\" is not a number from 0 to 2147483647; see \"apus create --help\""
    ),
    (
        "create --preserve-fds 99999999999999999999 web1",
        "--preserve-fds: \"99999999999999999999\" is not a number from 0 to 2147483647; see \"apus create --help\""
    ),
    (
        "delete --regex a b",
        "--regex: \"apus delete\" takes one regular expression, not 2; see \"apus delete --help\""
    ),
    ("foo", "No help topic for 'foo'; see \"apus --help\""),
    ("help foo", "No help topic for 'foo'; see \"apus help --help\""),
])
func isRefused(_ line: String, _ message: String) throws {
    let problem = try #require(throws: UsageProblem.self) { try parse(line) }
    #expect(problem.message == message)
    #expect(problem.status == (message.contains("No help topic") ? .noHelpTopic : .failure))
}

/// containerd reads the reason from the log file only.
@Test func mistakeKeepsTheLogAskedFor() throws {
    let problem = try #require(throws: UsageProblem.self) {
        try parse("--log /l --log-format json create --foo")
    }
    #expect(problem.globals.log == .file("/l"))
    #expect(problem.globals.logFormat == .json)
}

@Test func randomWordsNeverTrap() {
    let parts = [
        "", "-", "--", "=", "b", "f", "q", "r", "v", "h", "create", "list", "kill", "delete", "web1", "bundle", "root",
        "preserve-fds", "9999999999999999999999", "-1", "é", "e\u{301}", "\u{0}", "json", "help", "log", "file:",
    ]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50_000 {
        let line = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
            (0..<Int.random(in: 1...4, using: &generator)).compactMap { _ in parts.randomElement(using: &generator) }
                .joined()
        }
        do {
            _ = try Invocation.parse(line, in: root)
        } catch {
            #expect(!error.message.isEmpty)
        }
    }
}

/// conmon gives both for a terminal.
@Test func aProcessFileMayStandBesideTheTerminalOption() throws {
    guard case .exec(let options) = try parse("exec --process p.json --tty web1").command else {
        Issue.record("that is not exec")
        return
    }
    #expect(options.program == .file("p.json", tty: true))
    #expect(throws: UsageProblem.self) { try parse("exec --process p.json --cwd / web1") }
}
