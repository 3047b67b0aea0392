// What the runtime process does in a birth. Plain values: printed by `explain`, executed by RuntimeSide, undone in
// reverse when a later one fails. The lists are in Birth.swift.

package import Configuration
internal import Diagnostics
package import KernelTypes
internal import LinuxSystem

/// A step of any process: what `explain` and error texts need of it.
package protocol StepText: Equatable, Sendable {
    /// camelCase, unique within its process's vocabulary.
    var name: String { get }
    /// The object, in words; empty when the name says all.
    var detail: String { get }
    /// The one thing that it is about: a path, an id, or a key of config.json; `nil` when there is not one.
    var subject: String? { get }
}

/// One act of the runtime process.
package enum RuntimeStep: StepText {
    /// Makes and locks the container's state directory.
    case reserveID(String)
    /// Writes down what will be made, before any of it exists.
    case recordPlan
    /// Makes the directory for the container's own `NOTIFY_SOCKET`, which is mounted in it.
    case makeNoticeDirectory
    /// Opens a namespace to be entered, so that a path is looked up once.
    case openNamespace(NamespaceKind, path: String)
    /// Asks the loaded SELinux policy whether it knows a label, before anything is made.
    case checkLabel(String, key: String)
    case compileFilter(rules: Int)
    /// Makes the cgroup that init is born in.
    case createBirthplace([String])
    case createCgroup([String])
    /// Has systemd make the cgroups around the process that was just cloned, and waits until it is there.
    case startScope([String])
    case limitResources
    /// Lets the container's user manage its own cgroup.
    case delegateCgroup(uid: UInt32)
    /// Opens what init could not: bind sources that its user may not reach.
    case openMountSources(count: Int)
    /// Opens what init needs to be in the container's cgroup.
    case openCgroup
    case connectConsole(path: String)
    case makeConsoleSocket
    case makeGate
    case cloneInit([NamespaceKind])
    case cloneIntermediate
    case findInit
    case mapIDs
    case recordInit
    case setOOMScoreAdjustment(Int)
    case moveNetDevice(NetworkDevice)
    case hook(HookPoint, index: Int, Hook)
    case passListener(path: String)
    case setLimit(ResourceLimit)
    case sendPidfd(path: String)
    case recordCreated
    case writePIDFile(path: String)
    case tell(SyncMessage)
    case waitFor(SyncMessage)

    package var name: String {
        switch self {
        case .reserveID: "reserveID"
        case .recordPlan: "recordPlan"
        case .makeNoticeDirectory: "makeNoticeDirectory"
        case .openNamespace: "openNamespace"
        case .checkLabel: "checkLabel"
        case .compileFilter: "compileFilter"
        case .createBirthplace: "createBirthplace"
        case .createCgroup: "createCgroup"
        case .startScope: "startScope"
        case .limitResources: "limitResources"
        case .delegateCgroup: "delegateCgroup"
        case .openMountSources: "openMountSources"
        case .openCgroup: "openCgroup"
        case .connectConsole: "connectConsole"
        case .makeConsoleSocket: "makeConsoleSocket"
        case .makeGate: "makeGate"
        case .cloneInit: "cloneInit"
        case .cloneIntermediate: "cloneIntermediate"
        case .findInit: "findInit"
        case .mapIDs: "mapIDs"
        case .recordInit: "recordInit"
        case .setOOMScoreAdjustment: "setOOMScoreAdjustment"
        case .moveNetDevice: "moveNetDevice"
        case .hook: "hook"
        case .passListener: "passListener"
        case .setLimit: "setLimit"
        case .sendPidfd: "sendPidfd"
        case .recordCreated: "recordCreated"
        case .writePIDFile: "writePIDFile"
        case .tell: "tell"
        case .waitFor: "waitFor"
        }
    }

    package var detail: String {
        switch self {
        case .reserveID(let id): id
        case .openNamespace(let kind, let path): "\(kind.rawValue) \(path)"
        case .checkLabel(let label, let key): "\(label) (\(key))"
        case .compileFilter(let rules): "\(rules) rules"
        case .createBirthplace(let paths), .createCgroup(let paths), .startScope(let paths):
            paths.joined(separator: " ")
        case .delegateCgroup(let uid): "to the user \(uid)"
        case .openMountSources(let count): "\(count)"
        case .connectConsole(let path): path
        case .cloneInit(let namespaces): namespaces.map(\.rawValue).joined(separator: " ")
        case .setOOMScoreAdjustment(let value): "\(value)"
        case .moveNetDevice(let device): "\(device.hostName) as \(device.name)"
        case .hook(let point, let index, let hook): "\(point.rawValue)[\(index)] \(hook.path)"
        case .passListener(let path): path
        case .setLimit(let limit): limit.text
        case .sendPidfd(let path): path
        case .writePIDFile(let path): path
        case .tell(let message): message.name
        case .waitFor(let message): message.name
        case .recordPlan, .makeNoticeDirectory, .limitResources, .openCgroup, .makeConsoleSocket, .makeGate,
            .cloneIntermediate, .findInit,
            .mapIDs, .recordInit, .recordCreated:
            ""
        }
    }

    package var subject: String? {
        switch self {
        case .reserveID(let id): id
        case .openNamespace(_, let path), .connectConsole(let path), .passListener(let path), .sendPidfd(let path),
            .writePIDFile(let path):
            path
        case .checkLabel(_, let key): key
        case .compileFilter: "linux.seccomp"
        case .moveNetDevice(let device): "linux.netDevices.\(device.hostName)"
        case .hook(_, _, let hook): hook.path
        case .setLimit(let limit): limit.name
        default: nil
        }
    }

    /// What takes the step back.
    package enum Undo: Equatable, Sendable {
        case endProcesses
        case removeCgroup
        case removeRecord
        case removePIDFile(path: String)
        case takeNetDevicesBack

        /// The act's name in traces.
        var name: String {
            switch self {
            case .endProcesses: "endProcesses"
            case .removeCgroup: "removeCgroup"
            case .removeRecord: "removeRecord"
            case .removePIDFile(let path): "removePIDFile \(path)"
            case .takeNetDevicesBack: "takeNetDevicesBack"
            }
        }
    }

    /// Whether a failure may leave half of the act done.
    package var undoesWhenFailed: Bool {
        if case .createCgroup = self { return true }
        if case .createBirthplace = self { return true }
        if case .startScope = self { return true }
        if case .cloneIntermediate = self { return true }
        if case .moveNetDevice = self { return true }
        return false
    }

    /// `nil` when the end of the runtime process is enough.
    package var undo: Undo? {
        switch self {
        case .reserveID: .removeRecord
        case .createBirthplace, .createCgroup, .startScope: .removeCgroup
        case .cloneInit, .cloneIntermediate: .endProcesses
        case .writePIDFile(let path): .removePIDFile(path: path)
        case .moveNetDevice: .takeNetDevicesBack
        default: nil
        }
    }
}

/// One act of the intermediate process, which lives only to enter namespaces that init must be born in.
package enum IntermediateStep: StepText {
    case dieWithParent
    /// Before entering a namespace that others are in: they must not look into this process or init (CVE-2016-9962).
    case becomeUntraceable
    /// What it bears is then there too.
    case joinCgroup
    case enterNamespace(NamespaceKind)
    /// `exec`: the namespaces of the container's process, all at once.
    case joinContainer([NamespaceKind])
    /// While this process's own files are its user's.
    case setOOMScoreAdjustment(Int)
    case newUserNamespace
    /// The ids of the user namespace's root.
    case becomeRoot
    /// For the children: a time namespace, whose clocks can be set only before anybody is in it.
    case newTimeNamespace([TimeOffset])
    case cloneInit([NamespaceKind])
    case tell(SyncMessage)
    case waitFor(SyncMessage)

    package var name: String {
        switch self {
        case .dieWithParent: "dieWithParent"
        case .becomeUntraceable: "becomeUntraceable"
        case .joinCgroup: "joinCgroup"
        case .enterNamespace: "enterNamespace"
        case .joinContainer: "joinContainer"
        case .setOOMScoreAdjustment: "setOOMScoreAdjustment"
        case .newUserNamespace: "newUserNamespace"
        case .becomeRoot: "becomeRoot"
        case .newTimeNamespace: "newTimeNamespace"
        case .cloneInit: "cloneInit"
        case .tell: "tell"
        case .waitFor: "waitFor"
        }
    }

    package var detail: String {
        switch self {
        case .enterNamespace(let kind): kind.rawValue
        case .joinContainer(let kinds): kinds.map(\.rawValue).joined(separator: " ")
        case .setOOMScoreAdjustment(let value): "\(value)"
        case .newTimeNamespace(let offsets):
            offsets.map { "\($0.clock) \($0.seconds)s \($0.nanoseconds)ns" }.joined(separator: ", ")
        case .cloneInit(let namespaces): namespaces.map(\.rawValue).joined(separator: " ")
        case .tell(let message), .waitFor(let message): message.name
        case .dieWithParent, .becomeUntraceable, .joinCgroup, .newUserNamespace, .becomeRoot: ""
        }
    }

    package var subject: String? { nil }
}

extension ResourceLimit {
    /// `RLIMIT_NOFILE 1024:4096`, soft and hard.
    var text: String { "\(name) \(soft):\(hard)" }

    /// Sets it for a process; 0 is this one.
    func set(ofProcess pid: CInt) throws(Failure) {
        try attempt("set \(name) of process.rlimits to \(soft):\(hard)", .prlimit) { () throws(Errno) in
            try Limits.set(resource, ofProcess: pid, soft: soft, hard: hard)
        }
    }
}
