// What is remembered of a container between two invocations: enough to find, judge and remove everything that it has
// in the kernel, also after a crash at any instruction. The status is not here: it is derived (see ContainerStatus).

package import Cgroups
package import Configuration
internal import KernelTypes
internal import Systemd

/// The facts of one container on disk, `state.json`.
package struct ContainerRecord: Sendable {
    /// How far creation came. Not in the document: a second file says it, which is cheaper than another document.
    package enum Phase: String, Sendable {
        /// Written before anything exists in the kernel: names what will.
        case creating
        /// Everything but the program itself is in place.
        case created
    }

    /// Of this layout; a reader refuses a later one.
    package static let currentLayout = 1

    package var layout = ContainerRecord.currentLayout
    package var phase = Phase.creating
    package var id: String
    package var ociVersion: String
    /// Absolute.
    package var bundle: String
    /// Absolute.
    package var rootfs: String
    /// RFC 3339, UTC.
    package var created: String
    /// Of the user that created it.
    package var owner: UInt32
    /// Of the boot in which the pid means something.
    package var bootID: String
    /// 0 before the clone. Not in the document, nor is its start time: a link beside it says them.
    package var pid: Int32 = 0
    /// Clock ticks after boot, from `/proc/PID/stat`: with the pid it names one process.
    package var startTime: UInt64 = 0
    /// Where the container's cgroups are, in every hierarchy.
    package var cgroups: StoredPlacement
    /// Whether ending the container's process ends all others: it is the first of a pid namespace.
    package var ownsPIDNamespace: Bool
    /// Whether config.json had a process section.
    package var hasProcess: Bool
    /// Whether processes keep the caller's session keyring (`--no-new-keyring`); absent in older records.
    package var keepsKeyring: Bool?
    /// `NOTIFY_SOCKET` of the creator: the container has a socket for notices of its own.
    package var notifySocket: String?
    package var annotations: [StoredAnnotation]
    package var poststart: [StoredHook]
    package var poststop: [StoredHook]

    package init(
        id: String,
        configuration: ContainerConfiguration,
        bundle: String,
        created: String,
        owner: UInt32,
        bootID: String,
        cgroups: CgroupPlacement
    ) {
        self.id = id
        ociVersion = configuration.ociVersion
        self.bundle = bundle
        rootfs = configuration.root.path
        self.created = created
        self.owner = owner
        self.bootID = bootID
        self.cgroups = StoredPlacement(cgroups)
        ownsPIDNamespace = configuration.namespaces.creates(.pid)
        // Comparing with nil compares two whole configurations, whose type then has to be made.
        if case .some = configuration.process { hasProcess = true } else { hasProcess = false }
        annotations = configuration.annotations.map { StoredAnnotation(key: $0.key, value: $0.value) }
        poststart = configuration.hooks[.poststart].map(StoredHook.init)
        poststop = configuration.hooks[.poststop].map(StoredHook.init)
    }
}

/// An annotation as stored.
package struct StoredAnnotation: Sendable {
    package let key: String
    package let value: String
}

/// A hook as stored; config.json may change after create, and must not matter.
package struct StoredHook: Sendable {
    package let path: String
    package let arguments: [String]
    package let environment: [String]?
    package let timeoutSeconds: Int?

    init(_ hook: Hook) {
        path = hook.path
        arguments = hook.arguments
        environment = hook.environment
        timeoutSeconds = hook.timeoutSeconds
    }

    /// The hook to run.
    package var hook: Hook {
        Hook(path: path, arguments: arguments, environment: environment, timeoutSeconds: timeoutSeconds)
    }
}

/// A `CgroupPlacement` as stored.
package struct StoredPlacement: Sendable {
    struct Location: Sendable {
        let hierarchy: String
        let mountPoint: String
        let path: String
        let missingParents: Int
    }

    /// The unit of systemd that the cgroups belong to.
    struct Scope: Sendable {
        let unit: String
        let slice: String
        /// Of the user whose systemd it is; `nil` for the machine's.
        let user: UInt32?
    }

    let mode: String
    let isRootless: Bool
    /// `nil` when the runtime made the cgroups itself.
    let scope: Scope?
    let locations: [Location]

    init(_ placement: CgroupPlacement) {
        mode = placement.mode.rawValue
        isRootless = placement.isRootless
        scope = placement.scope.map {
            var user: UInt32?
            if case .user(let id) = $0.instance { user = id }
            return Scope(unit: $0.name.unit, slice: $0.name.slice, user: user)
        }
        locations = placement.locations.map {
            Location(
                hierarchy: $0.hierarchy,
                mountPoint: $0.mountPoint,
                path: $0.path,
                missingParents: $0.missingParents
            )
        }
    }

    /// The placement to make a manager of.
    package var placement: CgroupPlacement {
        CgroupPlacement(
            mode: HostFacts.CgroupMode(rawValue: mode) ?? .none,
            locations: locations.map {
                CgroupLocation(
                    hierarchy: $0.hierarchy,
                    mountPoint: $0.mountPoint,
                    path: $0.path,
                    missingParents: $0.missingParents
                )
            },
            isRootless: isRootless,
            scope: scope.map {
                ScopePlacement(
                    name: ScopeName(unit: $0.unit, slice: $0.slice),
                    instance: $0.user.map(SystemdInstance.user) ?? .system
                )
            }
        )
    }
}
