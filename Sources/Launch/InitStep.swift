// What init does in a birth, from its first instruction to execve. Plain values: printed by `explain`, executed by
// InitSide. The lists are in Birth.swift. Mounts and the loss of powers have vocabularies of their own.

package import Configuration
package import Confinement
package import KernelTypes
package import Rootfs

/// One act of the container's process before it is the container's.
package enum InitStep: StepText {
    /// Dies with the runtime for as long as nothing on disk would find it.
    case dieWithParent
    /// The runtime has written down who this is.
    case surviveParent
    case resetSignals
    case newSession
    /// Before entering a namespace that others are in: they must not look into this process (CVE-2016-9962).
    case becomeUntraceable
    case enterNamespace(NamespaceKind)
    case newNamespaces([NamespaceKind])
    /// `exec`: the namespaces of the container's process, all at once.
    case joinContainer([NamespaceKind])
    /// The ids of the user namespace's root.
    case becomeRoot
    case joinCgroup
    /// `process.execCPUAffinity.final`.
    case setAffinity(NumberList)
    case newCgroupNamespace
    case setHostname(String)
    case setDomainname(String)
    case bringUpLoopback
    case rootfs(RootfsStep)
    case makeConsole
    /// `exec`: a terminal that does not become the container's /dev/console.
    case makeTerminal
    case hook(HookPoint, index: Int, Hook)
    case confine(ConfinementStep)
    /// Everything that the program must not inherit; what init still needs goes when it executes the program.
    case closeDescriptors
    case setLimit(ResourceLimit)
    case makeWorkingDirectory(String)
    /// By the container's root, whose working directory its user then has even if it could not enter it, as in runc and
    /// crun. With `allowRefusal` the user may be allowed what its root is not: it is tried again as that user.
    case changeDirectory(String, allowRefusal: Bool)
    /// The working directory must be inside the root (CVE-2024-21626).
    case verifyWorkingDirectory
    case completeEnvironment
    case findProgram(String)
    case announceListener
    case waitForStart
    case execute(String)
    case tell(SyncMessage)
    case waitFor(SyncMessage)

    package var name: String {
        switch self {
        case .dieWithParent: "dieWithParent"
        case .surviveParent: "surviveParent"
        case .resetSignals: "resetSignals"
        case .newSession: "newSession"
        case .becomeUntraceable: "becomeUntraceable"
        case .enterNamespace: "enterNamespace"
        case .newNamespaces: "newNamespaces"
        case .joinContainer: "joinContainer"
        case .becomeRoot: "becomeRoot"
        case .joinCgroup: "joinCgroup"
        case .setAffinity: "setAffinity"
        case .newCgroupNamespace: "newCgroupNamespace"
        case .setHostname: "setHostname"
        case .setDomainname: "setDomainname"
        case .bringUpLoopback: "bringUpLoopback"
        case .rootfs(let step): step.name
        case .makeConsole: "makeConsole"
        case .makeTerminal: "makeTerminal"
        case .hook: "hook"
        case .confine(let step): step.name
        case .closeDescriptors: "closeDescriptors"
        case .setLimit: "setLimit"
        case .makeWorkingDirectory: "makeWorkingDirectory"
        case .changeDirectory: "changeDirectory"
        case .verifyWorkingDirectory: "verifyWorkingDirectory"
        case .completeEnvironment: "completeEnvironment"
        case .findProgram: "findProgram"
        case .announceListener: "announceListener"
        case .waitForStart: "waitForStart"
        case .execute: "execute"
        case .tell: "tell"
        case .waitFor: "waitFor"
        }
    }

    package var detail: String {
        switch self {
        case .enterNamespace(let kind): kind.rawValue
        case .newNamespaces(let kinds): kinds.map(\.rawValue).joined(separator: " ")
        case .joinContainer(let kinds): kinds.map(\.rawValue).joined(separator: " ")
        case .setAffinity(let cpus): cpus.text
        case .setHostname(let name), .setDomainname(let name): name
        case .rootfs(let step): step.detail
        case .hook(let point, let index, let hook): "\(point.rawValue)[\(index)] \(hook.path)"
        case .confine(let step): step.detail
        case .setLimit(let limit): limit.text
        case .makeWorkingDirectory(let path), .changeDirectory(let path, _): path
        case .findProgram(let name), .execute(let name): name
        case .tell(let message), .waitFor(let message): message.name
        case .dieWithParent, .surviveParent, .resetSignals, .newSession, .becomeUntraceable, .becomeRoot, .joinCgroup,
            .newCgroupNamespace, .bringUpLoopback, .closeDescriptors, .makeConsole, .makeTerminal,
            .verifyWorkingDirectory, .completeEnvironment, .announceListener, .waitForStart:
            ""
        }
    }

    package var subject: String? {
        switch self {
        case .hook(_, _, let hook): hook.path
        case .rootfs(let step): step.subject
        case .setLimit(let limit): limit.name
        case .makeWorkingDirectory(let path), .changeDirectory(let path, _): path
        case .findProgram(let name), .execute(let name): name
        default: nil
        }
    }
}
