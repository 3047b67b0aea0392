// What can be said on the command line: one table of verbs with their arguments and options, and one of the global
// options. Parsing, help, manual and completion all read it, so that they cannot disagree. It holds words only; what a
// verb does stands in Lifecycle.

internal import Diagnostics

/// Every option by its long name.
enum OptionName: String, Sendable {
    case all, apparmor, bundle, cap, cgroup, config, criu, cwd, debug, detach, env, file, force, format, help, keep, log
    case process, quiet, regex, root, rootless, trace, tty, user, version
    case additionalGids = "additional-gids"
    case cgroupManager = "cgroup-manager"
    case consoleSocket = "console-socket"
    case ignorePaused = "ignore-paused"
    case logFormat = "log-format"
    case logLevel = "log-level"
    case noNewKeyring = "no-new-keyring"
    case noNewPrivs = "no-new-privs"
    case noPivot = "no-pivot"
    case noSubreaper = "no-subreaper"
    case pidFile = "pid-file"
    case pidfdSocket = "pidfd-socket"
    case preserveFDs = "preserve-fds"
    case processLabel = "process-label"
    case systemdCgroup = "systemd-cgroup"
    // Of checkpoint and restore; see CheckpointOptions.swift.
    case autoDedup = "auto-dedup"
    case emptyNS = "empty-ns"
    case extUnixSK = "ext-unix-sk"
    case fileLocks = "file-locks"
    case imagePath = "image-path"
    case lazyPages = "lazy-pages"
    case leaveRunning = "leave-running"
    case linkRemap = "link-remap"
    case lsmMountContext = "lsm-mount-context"
    case lsmProfile = "lsm-profile"
    case manageCgroupsMode = "manage-cgroups-mode"
    case networkLock = "network-lock"
    case pageServer = "page-server"
    case parentPath = "parent-path"
    case preDump = "pre-dump"
    case shellJob = "shell-job"
    case statusFD = "status-fd"
    case tcpClose = "tcp-close"
    case tcpEstablished = "tcp-established"
    case tcpSkipInFlight = "tcp-skip-in-flight"
    case workPath = "work-path"
    // Of update and events; see LimitOptions.swift.
    case interval, memory, resources, stats
    case blockIOWeight = "blkio-weight"
    case cpuBurst = "cpu-burst"
    case cpuIdle = "cpu-idle"
    case cpuPeriod = "cpu-period"
    case cpuQuota = "cpu-quota"
    case cpuRealtimePeriod = "cpu-rt-period"
    case cpuRealtimeRuntime = "cpu-rt-runtime"
    case cpuShare = "cpu-share"
    case cpusetCPUs = "cpuset-cpus"
    case cpusetMems = "cpuset-mems"
    case kernelMemory = "kernel-memory"
    case kernelMemoryTCP = "kernel-memory-tcp"
    case cacheSchema = "l3-cache-schema"
    case bandwidthSchema = "mem-bw-schema"
    case memoryReservation = "memory-reservation"
    case memorySwap = "memory-swap"
    case pidsLimit = "pids-limit"
}

/// Every verb by the word that calls it.
enum VerbName: String, Sendable, CaseIterable {
    case create, start, run, exec, state, list, kill, delete, pause, resume, ps, update, events, checkpoint, restore
    case spec, explain, features, help, completion, man
}

/// One row of the verb table.
struct Verb: Sendable {
    let name: VerbName
    /// A sentence without a final period.
    let summary: String
    /// What stands behind the options, as the usage line shows it: `ID [SIGNAL]`.
    let arguments: String
    /// How many arguments are accepted.
    let argumentCount: ClosedRange<Int>
    /// Whether what follows the first argument belongs to another program, whatever it looks like.
    let passesOptionsOn: Bool
    /// The words accepted as argument; empty if it is free.
    let choices: [String]
    /// Whole sentences that the summary has no room for.
    let description: String
    private let ownOptions: @Sendable () -> [OptionRow]

    /// Made when they are asked for: a command line needs those of one verb.
    var options: [OptionRow] { ownOptions() + [Self.helpOption] }

    init(
        _ name: VerbName,
        _ summary: String,
        arguments: String = "",
        count: ClosedRange<Int> = 0...0,
        passesOptionsOn: Bool = false,
        choices: [String] = [],
        description: String = "",
        options: @autoclosure @escaping @Sendable () -> [OptionRow] = []
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        argumentCount = count
        self.passesOptionsOn = passesOptionsOn
        self.choices = choices
        self.description = description
        ownOptions = options
    }

    /// The verb called `word`.
    static func named(_ word: String) -> Verb? {
        table.first { $0.name.rawValue == word }
    }
}

extension Verb {
    static let helpOption = OptionRow.flag(.help, "h", help: "Show help")

    /// What may stand before the verb.
    static let globalOptions: [OptionRow] = [
        .value(
            .root,
            of: "DIR",
            help: "Where containers' state is kept (default: /run/apus, or $XDG_RUNTIME_DIR/apus for ordinary users)"
        ),
        .value(
            .log,
            of: "FILE",
            help: "Append messages to FILE, or send them to journald:IDENTIFIER or syslog:IDENTIFIER "
                + "(default: standard error)"
        ),
        .value(
            .logFormat,
            of: "FORMAT",
            choices: LogFormat.allCases.map(\.rawValue),
            help: "How log lines look (default: text)"
        ),
        .value(
            .logLevel,
            of: "LEVEL",
            choices: LogLevel.allCases.map(\.rawValue),
            help: "The least important messages to log (default: warning)"
        ),
        .value(
            .trace,
            of: "FILE",
            help:
                "Write when each step began and ended to FILE, as Chrome trace events (default: $APUS_TRACE, if set); "
                + "a directory gets one file for each command"
        ),
        .flag(.debug, help: "Log every step; the same as --log-level debug"),
        .value(
            .cgroupManager,
            of: "MANAGER",
            choices: CgroupManagerChoice.allCases.map(\.rawValue),
            help: "Who creates the cgroups (default: cgroupfs)"
        ),
        .flag(.systemdCgroup, help: "The same as --cgroup-manager systemd"),
        .value(
            .rootless,
            of: "WHEN",
            choices: RootlessChoice.allCases.map(\.rawValue),
            help: "Whether to go on without cgroups that may not be written (default: auto)"
        ),
        .value(.criu, of: "PROGRAM", help: "What checkpoint and restore are done with (default: criu, found in $PATH)"),
        .flag(.version, "v", "V", help: "Show the version"),
        helpOption,
    ]

    private static let creationOptions: [OptionRow] = [
        .value(.bundle, "b", of: "DIR", help: "Bundle directory (default: the working directory)"),
        .value(.config, "f", of: "FILE", help: "Configuration (default: config.json in the bundle)"),
        .value(.pidFile, of: "FILE", help: "Write the process id of the container's init to FILE"),
        .value(.consoleSocket, of: "SOCKET", help: "Send the terminal's master side to this unix socket"),
        .value(.pidfdSocket, of: "SOCKET", help: "Send a pidfd of the container's init to this unix socket"),
        .value(.preserveFDs, of: "N", help: "Pass N file descriptors, from 3 on, to the container (default: 0)"),
        .flag(.noPivot, help: "Enter the root with MS_MOVE and chroot, for a root on the initial ramdisk"),
        .flag(.noNewKeyring, help: "Keep the caller's session keyring"),
        .flag(.noSubreaper, help: "Leave orphans of the container to the host's init process"),
    ]

    private static let execOptions: [OptionRow] = [
        .value(.process, "p", of: "FILE", help: "Run what the process section in FILE describes, instead of COMMAND"),
        .flag(.detach, "d", help: "Return once the program runs"),
        .value(.pidFile, of: "FILE", help: "Write the process id to FILE"),
        .value(.consoleSocket, of: "SOCKET", help: "Send the terminal's master side to this unix socket"),
        .value(.pidfdSocket, of: "SOCKET", help: "Send a pidfd of the process to this unix socket"),
        .flag(.tty, "t", help: "Give the process a terminal"),
        .value(.cwd, of: "PATH", help: "Working directory in the container"),
        .value(.env, "e", of: "NAME=VALUE", help: "Set a variable; may be given several times"),
        .value(.user, "u", of: "UID[:GID]", help: "User and group, as numbers"),
        .value(.additionalGids, "g", of: "GID", help: "Add a group; may be given several times"),
        .value(.cap, "c", of: "CAPABILITY", help: "Add a capability; may be given several times"),
        .flag(.noNewPrivs, help: "Forbid to gain privileges by executing programs"),
        .value(.apparmor, of: "PROFILE", help: "AppArmor profile"),
        .value(.processLabel, of: "LABEL", help: "SELinux label"),
        .value(.preserveFDs, of: "N", help: "Pass N file descriptors, from 3 on, to the process (default: 0)"),
        .value(
            .cgroup,
            of: "[CONTROLLERS:]PATH",
            help: "Run in a cgroup below the container's; for cgroup v1, of these controllers"
        ),
        .flag(.ignorePaused, help: "Also in a paused container; the process then waits with it"),
    ]

    /// All verbs, in the order in which help lists them.
    static let table: [Verb] = [
        Verb(
            .create,
            "Create a container",
            arguments: "ID",
            count: 1...1,
            description: "The container's process waits, set up as config.json says, until `apus start ID`.",
            options: creationOptions
        ),
        Verb(
            .start,
            "Start the program of a created container",
            arguments: "ID",
            count: 1...1
        ),
        Verb(
            .run,
            "Create and start a container",
            arguments: "ID",
            count: 1...1,
            description: "Waits for the container to end and exits as it did, with 128+N if signal N ended it.",
            options: creationOptions + [
                .flag(.detach, "d", help: "Return once the program runs"),
                .flag(.keep, help: "Do not delete the container when it ends"),
            ]
        ),
        Verb(
            .exec,
            "Run a further process in a container",
            arguments: "ID [COMMAND...]",
            count: 1...Int.max,
            passesOptionsOn: true,
            description:
                "Waits for the process to end and exits as it did, with 128+N if signal N ended it, and with 255 "
                + "for failures of its own. Options stand before ID; without them the process is like the container's own.",
            options: execOptions
        ),
        Verb(
            .state,
            "Print the state of a container as JSON",
            arguments: "ID",
            count: 1...1
        ),
        Verb(
            .list,
            "List containers",
            options: [
                .value(
                    .format,
                    "f",
                    of: "FORMAT",
                    choices: ListFormat.allCases.map(\.rawValue),
                    help: "How to print them (default: table)"
                ),
                .flag(.quiet, "q", help: "Print ids only"),
            ]
        ),
        Verb(
            .kill,
            "Send a signal to a container",
            arguments: "ID [SIGNAL]",
            count: 1...2,
            description: "SIGNAL is a name with or without SIG, or a number (default: TERM).",
            options: [
                .flag(.all, "a", help: "Signal all processes of the container, not only its init"),
                .flag(.regex, "r", help: "ID is an extended regular expression; signal each container it matches"),
            ]
        ),
        Verb(
            .delete,
            "Delete what a container holds",
            arguments: "ID...",
            count: 1...Int.max,
            description: "The container must be stopped, or created and never started.",
            options: [
                .flag(.force, "f", help: "Kill a container that runs, and do not mind one that does not exist"),
                .flag(.regex, "r", help: "ID is an extended regular expression; delete each container it matches"),
            ]
        ),
        Verb(
            .pause,
            "Suspend all processes of a container",
            arguments: "ID",
            count: 1...1
        ),
        Verb(
            .resume,
            "Let the processes of a paused container run again",
            arguments: "ID",
            count: 1...1
        ),
        Verb(
            .ps,
            "List the processes of a container",
            arguments: "ID [PS-OPTIONS]",
            count: 1...Int.max,
            passesOptionsOn: true,
            description: "PS-OPTIONS are those of the host's ps (default: -ef); they must make it print a column PID.",
            options: [
                .value(
                    .format,
                    "f",
                    of: "FORMAT",
                    choices: ListFormat.allCases.map(\.rawValue),
                    help: "How to print them; json is an array of host process ids (default: table)"
                )
            ]
        ),
        Verb(
            .update,
            "Change the limits of a container",
            arguments: "ID",
            count: 1...1,
            description: "Limits that are not named stay. If one cannot be set, none is changed.",
            options: [
                .value(
                    .resources,
                    "r",
                    of: "FILE",
                    help: "Read what config.json has in linux.resources from FILE, or from standard input for -"
                )
            ] + LimitOption.rows + [
                .value(.cacheSchema, of: "SCHEMA", help: "Refused, as no container has linux.intelRdt here"),
                .value(.bandwidthSchema, of: "SCHEMA", help: "Refused, as no container has linux.intelRdt here"),
            ]
        ),
        Verb(
            .events,
            "Print statistics and lack of memory of a container as JSON lines",
            arguments: "ID",
            count: 1...1,
            description: "Ends when the container ends.",
            options: [
                .value(.interval, of: "DURATION", help: "Time between statistics, as 500ms or 1m (default: 5s)"),
                .flag(.stats, help: "Print statistics once, and end"),
            ]
        ),
        checkpoint,
        restore,
        Verb(
            .spec,
            "Write a configuration to start from",
            options: [
                .value(.bundle, "b", of: "DIR", help: "Bundle directory (default: the working directory)"),
                .value(.file, "f", of: "FILE", help: "Write to FILE (default: config.json in the bundle)"),
                .flag(.rootless, help: "For an ordinary user"),
            ]
        ),
        Verb(
            .explain,
            "Print the steps of a container's birth and end",
            arguments: "[BUNDLE]",
            count: 0...1,
            description: "Prints what create, start and delete would do in each process. Nothing is created.",
            options: [
                .value(.bundle, "b", of: "DIR", help: "Bundle directory (default: the working directory)"),
                .value(.config, "f", of: "FILE", help: "Configuration (default: config.json in the bundle)"),
                .value(
                    .format,
                    of: "FORMAT",
                    choices: ExplainFormat.allCases.map(\.rawValue),
                    help: "How to print them (default: text)"
                ),
            ]
        ),
        Verb(.features, "Print what this runtime supports as JSON"),
        Verb(
            .help,
            "Show help for apus or a command",
            arguments: "[COMMAND]",
            count: 0...1,
            choices: VerbName.allCases.map(\.rawValue)
        ),
        Verb(
            .completion,
            "Print a completion script",
            arguments: "SHELL",
            count: 1...1,
            choices: Shell.allCases.map(\.rawValue),
            description: "SHELL is bash, zsh or fish."
        ),
        Verb(.man, "Print the manual page in roff"),
    ]
}
