// What criu can be asked, and its encoding. The numbers are those of criu's rpc.proto.

package import LinuxSystem

/// How criu treats cgroups; see criu(8), `--manage-cgroups`.
package enum CRIUCgroupMode: Int32, Sendable {
    /// They are left alone: the processes stay in the cgroup that criu is in.
    case ignore = 0
    /// What is not there is made; what is there is used as it is.
    case soft = 3
    case full = 4
    case strict = 5
}

/// How criu keeps packets away from a container's connections while it writes them; see criu(8), `--network-lock`.
package enum CRIUNetworkLock: Int32, Sendable {
    case iptables = 1
    case nftables = 2
    /// Not at all.
    case skip = 3
}

/// Something that is not in the images: criu is told what stands for it, when it dumps and when it restores.
package struct CRIUResource: Equatable, Sendable {
    /// A descriptor that takes the place of what the images call `key`, such as `pipe:[123]`.
    package let key: String
    package let descriptor: BorrowedFD

    package init(_ key: String, _ descriptor: BorrowedFD) {
        self.key = key
        self.descriptor = descriptor
    }
}

/// One request's options. A descriptor's number is the same in this process and in criu, which inherits it.
package struct CRIUOptions: Equatable, Sendable {
    /// Where the images are.
    package var images: BorrowedFD
    /// Where the log and the statistics go.
    package var work: BorrowedFD
    /// From `images`: an earlier pre-dump's directory.
    package var parentImages: String?
    package var logFile: String
    /// For messages.
    package var logPath: String
    /// The root of the process tree to dump; 0 for a restore.
    package var pid: Int32 = 0
    /// The container's root filesystem, in criu's mount namespace.
    package var root: String
    package var leaveRunning = false
    package var tcpEstablished = false
    package var tcpClose = false
    package var externalUnixSockets = false
    package var shellJob = false
    package var fileLocks = false
    /// Files that are open and have no name any more get one beside where they were.
    package var linkRemap = false
    package var tcpSkipInFlight = false
    /// `nil` for criu's own choice.
    package var networkLock: CRIUNetworkLock?
    package var autoDedup = false
    package var lazyPages = false
    /// Remember which pages change from now on.
    package var trackMemory = false
    package var pageServer: PageServer?
    package var statusDescriptor: Int32?
    package var cgroupMode = CRIUCgroupMode.soft
    /// Where the container's cgroups are to be, instead of where they were.
    package var cgroupRoots: [CgroupRoot] = []
    package var freezeCgroup: String?
    /// `CLONE_NEW*` of the namespaces whose contents are neither dumped nor restored.
    package var emptyNamespaces: UInt64 = 0
    /// As behind criu's `--external`.
    package var external: [String] = []
    package var inherited: [CRIUResource] = []
    package var configurationFile: String?
    /// `selinux:LABEL` or `apparmor:PROFILE`.
    package var lsmProfile: String?
    package var lsmMountContext: String?
    /// Restored processes become children of criu's parent.
    package var restoresSibling = false

    /// - Parameter workPath: Of `work`, for messages.
    package init(images: BorrowedFD, work: BorrowedFD, workPath: String, logFile: String, root: String) {
        logPath = "\(workPath)/\(logFile)"
        self.images = images
        self.work = work
        self.logFile = logFile
        self.root = root
    }

    /// Where pages are sent to.
    package struct PageServer: Equatable, Sendable {
        package let address: String
        package let port: Int32

        package init(address: String, port: Int32) {
            self.address = address
            self.port = port
        }
    }

    /// A cgroup from the root of its hierarchy.
    package struct CgroupRoot: Equatable, Sendable {
        /// `nil` for every hierarchy that no other entry names.
        package let controller: String?
        package let path: String

        package init(controller: String?, path: String) {
            self.controller = controller
            self.path = path
        }
    }
}

/// One request.
package enum CRIURequest: Equatable, Sendable {
    case version
    /// Whether criu and the kernel can see which pages change.
    case memoryTracking
    case dump(CRIUOptions)
    case preDump(CRIUOptions)
    case restore(CRIUOptions)
    /// The answer to a notification.
    case acknowledge(Bool)

    /// The message.
    package var bytes: [UInt8] {
        var writer = MessageWriter()
        switch self {
        case .version: writer.number(1, RequestType.version.rawValue)
        case .memoryTracking:
            writer.number(1, RequestType.featureCheck.rawValue)
            writer.message(5) { $0.flag(1, true) }
        case .dump(let options):
            writer.number(1, RequestType.dump.rawValue)
            writer.message(2, options.write)
        case .preDump(let options):
            writer.number(1, RequestType.preDump.rawValue)
            writer.message(2, options.write)
        case .restore(let options):
            writer.number(1, RequestType.restore.rawValue)
            writer.message(2, options.write)
        case .acknowledge(let success):
            writer.number(1, RequestType.notify.rawValue)
            writer.number(3, success ? 1 : 0)
        }
        return writer.bytes
    }

    /// What criu does, for messages.
    package var action: String {
        switch self {
        case .version: "say its version"
        case .memoryTracking: "check for memory tracking"
        case .dump: "checkpoint the container"
        case .preDump: "write the container's memory"
        case .restore: "restore the container"
        case .acknowledge: "go on"
        }
    }

    package var options: CRIUOptions? {
        switch self {
        case .dump(let options), .preDump(let options), .restore(let options): options
        case .version, .memoryTracking, .acknowledge: nil
        }
    }
}

/// `criu_req_type`.
enum RequestType: Int32 {
    case dump = 1
    case restore = 2
    case preDump = 4
    case notify = 6
    case featureCheck = 9
    case version = 10
}

extension CRIUOptions {
    /// All that callers look for in the log: the reasons of failures.
    private static let logLevel = 4

    /// `criu_opts`.
    fileprivate func write(to writer: inout MessageWriter) {
        writer.number(1, images.rawValue)
        if pid > 0 { writer.number(2, pid) }
        writer.flag(3, leaveRunning)
        writer.flag(4, externalUnixSockets)
        writer.flag(5, tcpEstablished)
        writer.flag(7, shellJob)
        writer.flag(8, fileLocks)
        writer.number(9, Self.logLevel)
        writer.text(10, logFile)
        if let pageServer {
            writer.message(11) {
                $0.text(1, pageServer.address)
                $0.number(2, pageServer.port)
            }
        }
        writer.flag(12, true)
        writer.text(13, root)
        writer.text(14, parentImages)
        writer.flag(15, trackMemory)
        writer.flag(16, autoDedup)
        writer.number(17, work.rawValue)
        writer.flag(18, linkRemap)
        writer.flag(24, true)
        for cgroup in cgroupRoots {
            writer.message(25) {
                $0.text(1, cgroup.controller)
                $0.text(2, cgroup.path)
            }
        }
        writer.flag(26, restoresSibling)
        for resource in inherited {
            writer.message(27) {
                $0.text(1, resource.key)
                $0.number(2, resource.descriptor.rawValue)
            }
        }
        writer.number(34, cgroupMode.rawValue)
        for resource in external { writer.text(37, resource) }
        if emptyNamespaces != 0 { writer.number(38, emptyNamespaces) }
        writer.text(44, freezeCgroup)
        writer.flag(46, tcpSkipInFlight)
        writer.flag(48, lazyPages)
        if let statusDescriptor { writer.number(49, statusDescriptor) }
        // A terminal whose other end is outside comes back as a descriptor.
        writer.flag(50, true)
        writer.text(51, configurationFile)
        writer.flag(52, tcpClose)
        writer.text(53, lsmProfile)
        writer.text(63, lsmMountContext)
        if let networkLock { writer.number(64, networkLock.rawValue) }
    }
}
