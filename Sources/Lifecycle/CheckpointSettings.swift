// What checkpoint and restore are asked for, and the directories that both work in.

package import CRIU
internal import Configuration
internal import Diagnostics
package import KernelTypes
internal import Launch
internal import LinuxSystem

/// The options of `checkpoint` and `restore`.
package struct CheckpointSettings: Equatable, Sendable {
    /// Where the images are; it may be relative to the working directory.
    package var imagePath = "checkpoint"
    /// Where criu's log goes; absent: to the images.
    package var workPath: String?
    /// From the images: those of an earlier pre-dump.
    package var parentPath: String?
    package var tcpEstablished = false
    package var tcpClose = false
    package var externalUnixSockets = false
    package var shellJob = false
    package var fileLocks = false
    package var linkRemap = false
    package var autoDedup = false
    package var lazyPages = false
    package var cgroupMode = CRIUCgroupMode.soft
    /// Whose contents are neither written nor restored.
    package var emptyNamespaces: [NamespaceKind] = []

    // Of checkpoint alone.
    package var leaveRunning = false
    package var preDump = false
    package var tcpSkipInFlight = false
    package var networkLock: CRIUNetworkLock?
    package var pageServer: CRIUOptions.PageServer?
    /// Where criu writes a zero byte when it is ready to send pages.
    package var statusDescriptor: Int32?

    // Of restore alone.
    package var lsmProfile: String?
    package var lsmMountContext: String?

    package init() {}
}

/// The open directories of one checkpoint.
struct CheckpointDirectories {
    /// The images, then the log.
    private let open = FDTable()

    /// Absolute, in the same order.
    private let paths: [String]

    var images: BorrowedFD { open[0] }
    var work: BorrowedFD { open[1] }
    var workPath: String { paths[1] }

    /// - Parameter makes: Whether the images' directory is made when missing. It is for its owner alone: what it will
    ///   hold is the memory of the container. The log's is always made.
    init(_ settings: CheckpointSettings, makes: Bool) throws(Failure) {
        let imagePath = try AbsolutePath.of(settings.imagePath)
        let workPath = try settings.workPath.map { path throws(Failure) in try AbsolutePath.of(path) }
        paths = [imagePath, workPath ?? imagePath]
        open.add(try Self.open(imagePath, "--image-path", makes: makes))
        open.add(try Self.open(workPath ?? imagePath, "--work-path", makes: true))
        guard let parent = settings.parentPath else { return }
        guard parent.utf8.first != UInt8(ascii: "/") else {
            throw Failure("--parent-path \(parent): expected a path from the images, such as ../first")
        }
        let kind = try? images.facts(of: parent, following: true).kind
        guard kind == .directory else {
            throw Failure("--parent-path \(parent): there is no such directory, seen from \(imagePath)")
        }
    }

    /// Opens both again under the same numbers: in a mount namespace that the calling process was born in, where criu can
    /// mount on what is in them.
    func reopen() throws(Failure) {
        for (path, descriptor) in zip(paths, open.descriptors) {
            try attempt("open \(path) in criu's mount namespace", .open) { () throws(Errno) in
                let directory = try BorrowedFD.workingDirectory.open(path, [.readOnly, .directory])
                try directory.borrowed.duplicate(onto: descriptor.rawValue)
            }
        }
    }

    private static func open(_ path: String, _ option: String, makes: Bool) throws(Failure) -> OwnedFD {
        if makes { try make(path, option) }
        return try attempt("open \(option) \(path)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(path, [.readOnly, .directory])
        }
    }

    private static func make(_ path: String, _ option: String) throws(Failure) {
        var reached = ""
        for component in path.parts(separatedBy: "/") {
            reached += "/\(component)"
            do throws(Errno) {
                try BorrowedFD.workingDirectory.makeDirectory(reached, mode: 0o700)
            } catch .EEXIST {
                continue
            } catch {
                throw Failure("make the directory \(reached) of \(option)", .mkdir, error)
            }
        }
    }
}

extension CheckpointSettings {
    /// What both commands tell criu alike.
    func options(
        _ configuration: ContainerConfiguration,
        _ directories: CheckpointDirectories,
        logFile: String
    ) -> CRIUOptions {
        var options = CRIUOptions(
            images: directories.images,
            work: directories.work,
            workPath: directories.workPath,
            logFile: logFile,
            root: configuration.root.path
        )
        options.parentImages = parentPath
        options.tcpEstablished = tcpEstablished
        options.tcpClose = tcpClose
        options.externalUnixSockets = externalUnixSockets
        options.shellJob = shellJob
        options.fileLocks = fileLocks
        options.linkRemap = linkRemap
        options.tcpSkipInFlight = tcpSkipInFlight
        options.networkLock = networkLock
        options.autoDedup = autoDedup
        options.lazyPages = lazyPages
        options.cgroupMode = cgroupMode
        options.emptyNamespaces = emptyNamespaces.reduce(0) { $0 | $1.cloneFlag }
        options.configurationFile = Self.configurationFile(configuration)
        return options
    }

    /// The annotation's; absent: what the machine's administrator has written for container runtimes.
    private static func configurationFile(_ configuration: ContainerConfiguration) -> String? {
        if let path = configuration.value(of: .criuConfiguration) { return path.isEmpty ? nil : path }
        return ["/etc/criu/apus.conf", "/etc/criu/runc.conf"].first {
            (try? BorrowedFD.workingDirectory.facts(of: $0, following: true)) != nil
        }
    }
}
