// Decides, from the configuration and the facts of the host alone, everything that will be done to the container's
// mounts and in which order. Called by the launch planner and by `explain`; never looks at a file.

package import Configuration
internal import KernelTypes

/// The lists of a container's root filesystem. Between `pivot` and `afterPivot` the console is made (`makeConsole`).
package enum RootfsPlan {
    /// Sources that the runtime process opens before init is born. In a user namespace init may be unable to reach or
    /// to copy them, and mapping a mount's ids needs the machine's root; every other source is opened by init itself
    /// when its turn comes, so that the number of open files does not grow with the number of mounts.
    package static func sources(_ c: ContainerConfiguration, _ f: HostFacts) -> [MountSourceRequest] {
        c.mounts.enumerated().compactMap { index, mount in
            guard case .bind(let recursive) = mount.kind, let path = mount.source else { return nil }
            guard isOpenedByRuntime(mount, c, f) else { return nil }
            return MountSourceRequest(
                index: index,
                path: path,
                recursive: recursive,
                followsLinks: !mount.options.links.stopsAtSource,
                idMap: mount.options.idMap.map { resolved($0, c) }
            )
        }
    }

    /// Builds the root filesystem while the host's tree can still be seen.
    package static func beforePivot(_ c: ContainerConfiguration, _ f: HostFacts) -> [RootfsStep] {
        let isShared = c.rootfsPropagation == .shared
        var steps: [RootfsStep] = [
            .setPropagation(initialPropagation(c)),
            .bindRoot(path: c.root.path, parentIsShared: isShared, followsHost: c.rootfsPropagation == .slave),
        ]
        steps += c.mounts.indices.map { .mount(mount(at: $0, c, f)) }
        if makesDevices(c) {
            let binds = isInUserNamespace(c, f)
            steps += devices(c).map { .device($0, binds: binds && $0.kind != .fifo) }
            steps.append(.deviceLink(.ptmx))
            steps += DeviceLink.defaults.map(RootfsStep.deviceLink)
        }
        return steps
    }

    /// Enters the root filesystem.
    package static func pivot(_ c: ContainerConfiguration, noPivot: Bool) -> RootfsStep {
        noPivot ? .moveRoot(path: c.root.path) : .pivot(oldRootIsShared: c.rootfsPropagation == .shared)
    }

    /// Locks the root filesystem up, from inside it.
    package static func afterPivot(_ c: ContainerConfiguration) -> [RootfsStep] {
        var steps: [RootfsStep] = []
        for index in c.mounts.indices where delaysReadonly(at: index, c) {
            steps.append(.remountReadonly(path: c.mounts[index].destination))
        }
        if let propagation = c.rootfsPropagation, propagation != .private, propagation != .slave {
            steps.append(.rootPropagation(propagation))
        }
        if c.root.readonly { steps.append(.readonlyRoot) }
        steps += c.readonlyPaths.map(RootfsStep.readonlyPath)
        steps += c.maskedPaths.map { .maskPath($0, mountLabel: c.mountLabel) }
        return steps
    }

    /// Only `shared` keeps the new namespace's mounts tied both ways to the host's. What `unbindable` says of the root
    /// mount is said at the end: until then mounts must be bound.
    private static func initialPropagation(_ c: ContainerConfiguration) -> MountPropagation {
        switch c.rootfsPropagation {
        case .shared: .shared
        case .private: .private
        case .slave, .unbindable, nil: .slave
        }
    }

    private static func isInUserNamespace(_ c: ContainerConfiguration, _ f: HostFacts) -> Bool {
        f.isInUserNamespace || c.namespaces.isSeparate(.user)
    }

    private static func isOpenedByRuntime(
        _ mount: MountConfiguration,
        _ c: ContainerConfiguration,
        _ f: HostFacts
    ) -> Bool {
        guard case .bind = mount.kind else { return false }
        if mount.options.idMap != nil { return true }
        return c.namespaces.isSeparate(.user) && f.effectiveUserID == 0
    }

    /// A request without mappings means those of the container.
    private static func resolved(_ request: IDMapRequest, _ c: ContainerConfiguration) -> MountSourceRequest.IDMap {
        let mappings: MountSourceRequest.IDMap.Source
        if !request.uidMappings.isEmpty || !request.gidMappings.isEmpty {
            mappings = .mappings(uid: request.uidMappings, gid: request.gidMappings)
        } else if let joined = c.namespaces.joined.first(where: { $0.kind == .user }) {
            mappings = .namespace(path: joined.path)
        } else {
            mappings = .mappings(uid: c.uidMappings, gid: c.gidMappings)
        }
        return MountSourceRequest.IDMap(recursive: request.recursive, source: mappings)
    }

    // MARK: One mount

    private static func mount(at index: Int, _ c: ContainerConfiguration, _ f: HostFacts) -> PlannedMount {
        let mount = c.mounts[index]
        var options = mount.options
        if delaysReadonly(at: index, c) { options.set.remove(.readOnly) }
        let act: PlannedMount.Act =
            switch mount.kind {
            case .bind(let recursive):
                .bind(
                    source: mount.source ?? "/",
                    recursive: recursive,
                    isOpened: isOpenedByRuntime(mount, c, f)
                )
            case .cgroup:
                .cgroup(
                    PlannedMount.CgroupView(
                        isUnified: f.cgroupMode == .unified,
                        hasOwnNamespace: c.namespaces.isSeparate(.cgroup)
                    )
                )
            case .remount:
                .remount(data: mount.options.data)
            case .fileSystem(let type):
                .fileSystem(
                    FileSystemRequest(
                        type: type,
                        source: mount.source,
                        parameters: parameters(type, options, c),
                        flags: options.fileSystemFlags,
                        substitute: substitute(for: type, c, f),
                        rootLabel: type == "mqueue" ? c.mountLabel : nil
                    )
                )
            }
        return PlannedMount(
            index: index,
            destination: mount.destination,
            act: act,
            options: options,
            words: mount.optionWords
        )
    }

    /// `/dev` gets its nodes, and a tmpfs the directories of the mounts below it, before they become read-only. A mount
    /// that a later one covers is out of reach then, and needs no protection.
    private static func delaysReadonly(at index: Int, _ c: ContainerConfiguration) -> Bool {
        let mount = c.mounts[index]
        guard mount.options.set.contains(.readOnly) else { return false }
        guard mount.destination == "/dev" || mount.kind == .fileSystem(type: "tmpfs") else { return false }
        return !c.mounts[(index + 1)...].contains { $0.destination == mount.destination }
    }

    /// File systems of the kernel's own, for which `ro` is a matter of the mount alone.
    private static let virtualTypes = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"]
    /// File systems that take no `context=`.
    private static let unlabelledTypes: Set<String> = ["proc", "sysfs", "mqueue"]

    private static func parameters(
        _ type: String,
        _ options: MountOptions,
        _ c: ContainerConfiguration
    ) -> [FileSystemRequest.Parameter] {
        var parameters = options.data.flatMap(words(of:)).map { FileSystemRequest.Parameter(word: $0) }
        if let label = c.mountLabel, !unlabelledTypes.contains(type) {
            parameters.append(FileSystemRequest.Parameter("context", label))
        }
        func add(_ name: String, for flag: MountFlags) {
            if options.fileSystemFlags.contains(flag) { parameters.append(FileSystemRequest.Parameter(name)) }
        }
        add("sync", for: .synchronous)
        add("dirsync", for: .synchronousDirectories)
        add("lazytime", for: .lazyTimes)
        add("mand", for: .mandatoryLocks)
        if options.set.contains(.readOnly), !virtualTypes.contains(type) {
            parameters.append(FileSystemRequest.Parameter("ro"))
        }
        return parameters
    }

    /// The words between commas; a comma in quotes does not separate.
    private static func words(of data: String) -> [String] {
        guard data.utf8.contains(UInt8(ascii: ",")) else { return data.isEmpty ? [] : [data] }
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for scalar in data.unicodeScalars {
            if scalar == "\"" { isQuoted.toggle() }
            if scalar == ",", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        words.append(word)
        return words.filter { !$0.isEmpty }
    }

    private static func substitute(for type: String, _ c: ContainerConfiguration, _ f: HostFacts) -> String? {
        guard isInUserNamespace(c, f) else { return nil }
        return switch type {
        case "sysfs" where !c.namespaces.isSeparate(.network): "/sys"
        case "proc" where !c.namespaces.isSeparate(.pid): "/proc"
        case "mqueue" where !c.namespaces.isSeparate(.ipc): "/dev/mqueue"
        default: nil
        }
    }

    // MARK: Devices

    /// A bound /dev is somebody's: nothing is made in it.
    private static func makesDevices(_ c: ContainerConfiguration) -> Bool {
        !c.mounts.contains { mount in
            guard case .bind = mount.kind else { return false }
            return mount.destination == "/dev"
        }
    }

    /// The default devices, except where the configuration has its own of that path, and the configuration's. ptmx is never
    /// a plain node, and the console not where it is the container's terminal.
    private static func devices(_ c: ContainerConfiguration) -> [DeviceNode] {
        let own = c.devices.filter { device in
            device.path != "/dev/ptmx" && !(device.path == "/dev/console" && c.process?.terminal == true)
        }
        return DeviceNode.defaults.filter { device in !own.contains { $0.path == device.path } } + own
    }
}
