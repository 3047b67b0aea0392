// What a restore does, as data: printed by --debug, blamed in errors, taken back when a later step fails. criu makes
// the processes; the runtime makes everything around them, and has its turn at the stages where criu waits.

package import Configuration
package import KernelTypes
package import Launch

/// One act of `restore`.
package enum RestoreStep: StepText {
    /// Makes and locks the container's state directory.
    case reserveID(String)
    /// Writes down what will be made, before any of it exists.
    case recordPlan
    /// Opens a namespace that the container joins, for criu to inherit.
    case openNamespace(NamespaceKind, path: String)
    case connectConsole(path: String)
    case createCgroup([String])
    case openCgroup
    /// Makes what is missing in the root filesystem for mounts to be made on.
    case makeMountPoints(count: Int)
    /// criu, in a mount namespace of its own whose root filesystem is a mount, and in the container's cgroup.
    case startCRIU
    /// Has systemd make the cgroups around criu, which waits for its request.
    case startScope([String])
    /// Waits until criu has come to a stage, and waits there.
    case waitFor(stage: String)
    case recordInit
    case hook(HookPoint, index: Int, Hook)
    case limitResources
    /// Lets criu end: the processes run.
    case waitForEnd
    case recordCreated
    case writePIDFile(path: String)

    package var name: String {
        switch self {
        case .reserveID: "reserveID"
        case .recordPlan: "recordPlan"
        case .openNamespace: "openNamespace"
        case .connectConsole: "connectConsole"
        case .createCgroup: "createCgroup"
        case .openCgroup: "openCgroup"
        case .makeMountPoints: "makeMountPoints"
        case .startCRIU: "startCRIU"
        case .startScope: "startScope"
        case .waitFor: "waitFor"
        case .recordInit: "recordInit"
        case .hook: "hook"
        case .limitResources: "limitResources"
        case .waitForEnd: "waitForEnd"
        case .recordCreated: "recordCreated"
        case .writePIDFile: "writePIDFile"
        }
    }

    package var detail: String {
        switch self {
        case .reserveID(let id): id
        case .openNamespace(let kind, let path): "\(kind.rawValue) \(path)"
        case .connectConsole(let path), .writePIDFile(let path): path
        case .createCgroup(let paths), .startScope(let paths): paths.joined(separator: " ")
        case .makeMountPoints(let count): "\(count)"
        case .waitFor(let stage): stage
        case .hook(let point, let index, let hook): "\(point.rawValue)[\(index)] \(hook.path)"
        case .recordPlan, .openCgroup, .startCRIU, .recordInit, .limitResources, .waitForEnd, .recordCreated: ""
        }
    }

    package var subject: String? {
        switch self {
        case .reserveID(let id): id
        case .openNamespace(_, let path), .connectConsole(let path), .writePIDFile(let path): path
        case .hook(_, _, let hook): hook.path
        default: nil
        }
    }

    /// The list.
    /// - Parameter cgroups: The directories that will be made; may be empty.
    package static func list(_ c: ContainerConfiguration, _ r: LaunchRequest, cgroups: [String]) -> [RestoreStep] {
        // ORDER: the record names what will exist before any of it does: from here on `delete` can clean up.
        var steps: [RestoreStep] = [.reserveID(r.id), .recordPlan]
        steps += ExternalNamespace.list(c).map { .openNamespace($0.kind, path: $0.path) }
        if case .socket(let path) = r.console { steps.append(.connectConsole(path: path)) }
        let isScoped = r.cgroupDriver == .systemd
        if !cgroups.isEmpty && !isScoped { steps += [.createCgroup(cgroups), .openCgroup] }
        if !c.mounts.isEmpty { steps.append(.makeMountPoints(count: c.mounts.count)) }
        steps.append(.startCRIU)
        if isScoped { steps.append(.startScope(cgroups)) }
        steps += [.waitFor(stage: "setup-namespaces"), .recordInit]
        for point in [HookPoint.prestart, .createRuntime] {
            steps += c.hooks[point].enumerated().map { .hook(point, index: $0.offset, $0.element) }
        }
        steps.append(.waitFor(stage: "post-restore"))
        // ORDER: after the work of criu, which is in the cgroup and may need more than the container may have; before the
        // container's processes run.
        if !cgroups.isEmpty { steps.append(.limitResources) }
        steps += [.waitForEnd, .recordCreated]
        // ORDER: last, because callers take the file for the news that the container runs.
        if let path = r.pidFile { steps.append(.writePIDFile(path: path)) }
        return steps
    }
}
