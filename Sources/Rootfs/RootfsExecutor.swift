// Performs RootfsSteps, one at a time, in the init process: single-threaded, in its new mount namespace, before
// execve. Holds what several steps need. Never decides what is to be done (RootfsPlan has), never looks a name of the
// container up other than through the root handle, never reads the mount table (moveRoot excepted).

package import Diagnostics
internal import KernelTypes
package import LinuxSystem
internal import PathResolution

/// The hands that build a container's root filesystem.
package struct RootfsExecutor: ~Copyable {
    /// The root filesystem; from `bindRoot` on the mount of its own. Stays valid across the change of root.
    var root: RootHandle
    var sources: MountSources
    let cgroups: [CgroupMountSource]
    /// The directory of the last device node, and its path: most nodes have the same one.
    var deviceDirectory: OwnedFD?
    var deviceDirectoryPath = ""
    /// The container's /dev/null, once it was seen to be one.
    var nullDevice: OwnedFD?
    /// The read-only empty directory that hides directories; mounted where it was needed first.
    var emptyDirectory: OwnedFD?
    /// For kernels that change only what is attached.
    var changesWhenAttached: [MountChange] = []

    /// - Parameters:
    ///   - rootPath: Absolute, in the present mount namespace.
    ///   - sources: What the runtime process has opened (`RootfsPlan.sources`).
    ///   - cgroups: The container's own cgroup in each hierarchy; may be empty where nothing mounts them.
    package init(
        rootPath: String,
        sources: consuming MountSources,
        cgroups: [CgroupMountSource]
    ) throws(Failure) {
        let directory = try attempt("open the root filesystem \(rootPath)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(rootPath, [.path, .directory])
        }
        root = RootHandle(directory, name: "the root filesystem")
        self.sources = sources
        self.cgroups = cgroups
    }

    /// The root filesystem, for what else must be looked up in it.
    package var rootDirectory: BorrowedFD { root.directory }

    /// Performs one step.
    package mutating func perform(_ step: RootfsStep) throws(Failure) {
        switch step {
        case .setPropagation(let propagation): try setPropagation(propagation)
        case .bindRoot(let path, let parentIsShared, let followsHost):
            try bindRoot(path, parentIsShared: parentIsShared, followsHost: followsHost)
        case .mount(let mount): try perform(mount)
        case .device(let device, let binds): try makeDevice(device, binds: binds)
        case .deviceLink(let link): try makeDeviceLink(link)
        case .pivot(let oldRootIsShared): try pivot(oldRootIsShared: oldRootIsShared)
        case .moveRoot(let path): try moveRoot(path)
        case .remountReadonly(let path): try remountReadonly(path)
        case .rootPropagation(let propagation): try setRootPropagation(propagation)
        case .readonlyRoot: try makeRootReadonly()
        case .readonlyPath(let path): try makeReadonly(path)
        case .maskPath(let path, let label): try mask(path, mountLabel: label)
        }
    }

    private mutating func perform(_ mount: PlannedMount) throws(Failure) {
        // What was the device directory may be covered from here on.
        deviceDirectory = nil
        try checkDestination(mount)
        switch mount.act {
        case .bind(let source, let recursive, _): try mountBind(mount, source, recursive: recursive)
        case .fileSystem(let request): try mountFileSystem(mount, request)
        case .cgroup(let view): try mountCgroup(mount, view)
        case .remount(let data): try remount(mount, data)
        }
    }
}
