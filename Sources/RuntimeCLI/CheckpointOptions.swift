// checkpoint and restore on the command line: their rows of the verb table, and what their words amount to.

internal import CRIU
internal import KernelTypes
internal import Lifecycle
internal import LinuxSystem

extension Verb {
    private static let commonOptions: [OptionRow] = [
        .value(.imagePath, of: "DIR", help: "Where the images are (default: checkpoint in the working directory)"),
        .value(.workPath, of: "DIR", help: "Where criu's log and statistics go (default: to the images)"),
        .value(.parentPath, of: "DIR", help: "An earlier pre-dump, as a path from the images"),
        .flag(.tcpEstablished, help: "Also with open TCP connections"),
        .flag(.extUnixSK, help: "Also with unix sockets that lead outside"),
        .flag(.shellJob, help: "Also with a terminal or a session of the caller's"),
        .flag(.fileLocks, help: "Also with file locks"),
        .flag(.linkRemap, help: "Also with open files that have been removed, by links beside where they were"),
        .value(
            .manageCgroupsMode,
            of: "MODE",
            choices: ManagedCgroups.allCases.map(\.rawValue),
            help: "What criu does with cgroups (default: soft)"
        ),
        .value(
            .emptyNS,
            of: "NAMESPACE",
            choices: EmptyNamespace.allCases.map(\.rawValue),
            help: "Leave out what is in the namespace"
        ),
        .flag(.autoDedup, help: "Remove pages from images when later ones replace them"),
        .flag(.lazyPages, help: "Leave pages to a page server until they are needed"),
    ]

    static let checkpoint = Verb(
        .checkpoint,
        "Write a running container to images, and end it",
        arguments: "ID",
        count: 1...1,
        description: "criu, which does the work, must be installed. The container stays, stopped, until it is deleted.",
        options: commonOptions + [
            .flag(.leaveRunning, help: "Let the container run on"),
            .flag(.preDump, help: "Write the memory alone, and let the container run on"),
            .flag(.tcpSkipInFlight, help: "Leave out TCP connections that are about to be made"),
            .value(
                .networkLock,
                of: "METHOD",
                choices: NetworkLock.allCases.map(\.rawValue),
                help: "How packets are kept away meanwhile (default: iptables)"
            ),
            .value(.pageServer, of: "ADDRESS:PORT", help: "Send pages to the page server there"),
            .value(.statusFD, of: "N", help: "Write a zero byte to descriptor N when pages can be fetched"),
        ]
    )

    static let restore = Verb(
        .restore,
        "Make a running container from a bundle and images",
        arguments: "ID",
        count: 1...1,
        description:
            "criu, which does the work, must be installed. "
            + "Waits for the container to end and exits as it did, with 128+N if signal N ended it.",
        options: [
            .value(.bundle, "b", of: "DIR", help: "Bundle directory (default: the working directory)"),
            .value(.config, "f", of: "FILE", help: "Configuration (default: config.json in the bundle)"),
        ] + commonOptions + [
            .flag(.tcpClose, help: "Close TCP connections that were open"),
            .value(.lsmProfile, of: "TYPE:NAME", help: "AppArmor profile or SELinux label instead of the former one"),
            .value(.lsmMountContext, of: "CONTEXT", help: "SELinux context of mounts instead of the former one"),
            .value(.pidFile, of: "FILE", help: "Write the process id of the container's init to FILE"),
            .value(.consoleSocket, of: "SOCKET", help: "Send the terminal's master side to this unix socket"),
            .flag(.detach, "d", help: "Return once the container runs"),
            .flag(.keep, help: "Do not delete the container when it ends"),
            .flag(.noPivot, help: "Accepted and without effect: criu enters the root in its own way"),
            .flag(.noSubreaper, help: "Leave orphans of the container to the host's init process"),
        ]
    )
}

/// `--manage-cgroups-mode`.
enum ManagedCgroups: String, Sendable, CaseIterable {
    case ignore, soft, full, strict

    var mode: CRIUCgroupMode {
        switch self {
        case .ignore: .ignore
        case .soft: .soft
        case .full: .full
        case .strict: .strict
        }
    }
}

/// `--network-lock`.
enum NetworkLock: String, Sendable, CaseIterable {
    case iptables, nftables, skip

    var method: CRIUNetworkLock {
        switch self {
        case .iptables: .iptables
        case .nftables: .nftables
        case .skip: .skip
        }
    }
}

/// `--empty-ns`: the one kind that criu can leave out.
enum EmptyNamespace: String, Sendable, CaseIterable {
    case network
}

extension GivenWords {
    private func commonSettings() throws(OptionProblem) -> CheckpointSettings {
        var settings = CheckpointSettings()
        if let path = text(.imagePath) { settings.imagePath = path }
        settings.workPath = text(.workPath)
        settings.parentPath = text(.parentPath)
        settings.tcpEstablished = isOn(.tcpEstablished)
        settings.externalUnixSockets = isOn(.extUnixSK)
        settings.shellJob = isOn(.shellJob)
        settings.fileLocks = isOn(.fileLocks)
        settings.linkRemap = isOn(.linkRemap)
        settings.autoDedup = isOn(.autoDedup)
        settings.lazyPages = isOn(.lazyPages)
        if let mode: ManagedCgroups = try chosen(.manageCgroupsMode) { settings.cgroupMode = mode.mode }
        for word in texts(.emptyNS) {
            let _: EmptyNamespace = try choice("--empty-ns", word)
            settings.emptyNamespaces = [.network]
        }
        return settings
    }

    func checkpointSettings() throws(OptionProblem) -> CheckpointSettings {
        var settings = try commonSettings()
        settings.leaveRunning = isOn(.leaveRunning)
        settings.preDump = isOn(.preDump)
        settings.tcpSkipInFlight = isOn(.tcpSkipInFlight)
        if let lock: NetworkLock = try chosen(.networkLock) { settings.networkLock = lock.method }
        settings.pageServer = try pageServer()
        if let number = try number(.statusFD, in: 0...Int(Int32.max)) {
            settings.statusDescriptor = Int32(number)
        }
        return settings
    }

    func restoreSettings() throws(OptionProblem) -> CheckpointSettings {
        var settings = try commonSettings()
        settings.tcpClose = isOn(.tcpClose)
        settings.lsmProfile = text(.lsmProfile)
        settings.lsmMountContext = text(.lsmMountContext)
        if let profile = settings.lsmProfile,
            !["apparmor:", "selinux:"].contains(where: { profile.hasPrefix($0) && profile != $0 })
        {
            throw OptionProblem(
                message: "--lsm-profile: \"\(profile)\" is not accepted; expected apparmor:PROFILE or selinux:LABEL"
            )
        }
        return settings
    }

    private func pageServer() throws(OptionProblem) -> CRIUOptions.PageServer? {
        guard let text = text(.pageServer) else { return nil }
        let bytes = text.utf8
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex,
            let port = UInt16(String(Substring(bytes[bytes.index(after: colon)...]))), port > 0
        else {
            throw OptionProblem(message: "--page-server: \"\(text)\" is not an address and a port: 192.0.2.1:9999")
        }
        return CRIUOptions.PageServer(address: String(Substring(bytes[..<colon])), port: Int32(port))
    }
}
