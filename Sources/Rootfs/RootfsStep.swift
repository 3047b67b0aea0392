// The vocabulary of everything that is done to a container's mounts: plain values that RootfsPlan computes, `explain`
// prints, golden files record and RootfsExecutor performs one at a time. Nothing here touches the kernel.

package import Configuration
package import KernelTypes

/// One act on the container's mounts.
package enum RootfsStep: Equatable, Sendable {
    /// Of every mount of the new mount namespace, so that what follows stays in it (or, for `shared`, does not).
    case setPropagation(MountPropagation)
    /// Makes the root filesystem a mount of its own, which `pivot_root(2)` needs.
    /// - parentIsShared: The mount that holds it may be shared and is made private first.
    /// - followsHost: It keeps receiving what is mounted on the host.
    case bindRoot(path: String, parentIsShared: Bool, followsHost: Bool)
    /// One entry of `mounts`: four times as large as anything else here, and every step takes the room of the largest.
    indirect case mount(PlannedMount)
    /// - binds: The machine's own node is bound instead of making one (the kernel does not let a user namespace do so).
    case device(DeviceNode, binds: Bool)
    case deviceLink(DeviceLink)
    /// Changes the root directory to the root filesystem and lets the old one go.
    /// - oldRootIsShared: The old tree is first cut off from the machine's, which would see it go.
    case pivot(oldRootIsShared: Bool)
    /// For a root filesystem on the initial ramfs: moves it over the old root and changes the root directory.
    case moveRoot(path: String)
    /// A mount that had to be writable until everything in it was made.
    case remountReadonly(path: String)
    /// `linux.rootfsPropagation`, of the root mount alone.
    case rootPropagation(MountPropagation)
    case readonlyRoot
    /// One entry of `linux.readonlyPaths`.
    case readonlyPath(String)
    /// One entry of `linux.maskedPaths`. The label is for the empty directory that hides one.
    case maskPath(String, mountLabel: String?)

    /// Whether the process must be in the container's cgroups first: it shows them, or fills memory that counts there.
    package var needsCgroup: Bool {
        guard case .mount(let mount) = self else { return false }
        if case .cgroup = mount.act { return true }
        return mount.options.copiesUp
    }

    /// The step's name in traces and error texts.
    package var name: String {
        switch self {
        case .setPropagation: "setPropagation"
        case .bindRoot: "bindRoot"
        case .mount: "mount"
        case .device: "device"
        case .deviceLink: "deviceLink"
        case .pivot: "pivotRoot"
        case .moveRoot: "moveRoot"
        case .remountReadonly: "remountReadonly"
        case .rootPropagation: "rootPropagation"
        case .readonlyRoot: "readonlyRoot"
        case .readonlyPath: "readonlyPath"
        case .maskPath: "maskPath"
        }
    }

    /// The object, and how, as one line of text.
    package var detail: String {
        switch self {
        case .setPropagation(let propagation): "/ r\(propagation.rawValue)"
        case .bindRoot(let path, let parentIsShared, let followsHost):
            path + (parentIsShared ? " (parent made private)" : "") + (followsHost ? " (slave)" : "")
        case .mount(let mount): mount.description
        case .device(let device, let binds): device.summary + (binds ? " (bound from the host)" : "")
        case .deviceLink(let link): "\(link.path) -> \(link.target)"
        case .pivot(let oldRootIsShared): oldRootIsShared ? "old root made slave" : ""
        case .moveRoot(let path): path
        case .remountReadonly(let path): path
        case .rootPropagation(let propagation): "/ \(propagation.rawValue)"
        case .readonlyRoot: "/"
        case .readonlyPath(let path): path
        case .maskPath(let path, _): path
        }
    }

    /// The path that it is about, in the container; the root filesystem's own on the host.
    package var subject: String? {
        switch self {
        case .mount(let mount): mount.destination
        case .device(let device, _): device.path
        case .deviceLink(let link): link.path
        case .bindRoot(let path, _, _), .moveRoot(let path), .remountReadonly(let path), .readonlyPath(let path),
            .maskPath(let path, _):
            path
        case .setPropagation, .pivot, .rootPropagation, .readonlyRoot: nil
        }
    }
}

/// A symbolic link of the container's /dev.
package struct DeviceLink: Equatable, Sendable {
    /// What to do when there is something of that name.
    package enum Existing: Sendable { case keep, replace }

    package let path: String
    package let target: String
    package let existing: Existing
    /// Make the link only when the container has its target.
    package let needsTarget: Bool

    /// Runtime-spec: runtime-linux.md, Dev symbolic links; `/dev/core` is what every distribution has besides.
    package static let defaults = [
        DeviceLink("/dev/fd", "/proc/self/fd"),
        DeviceLink("/dev/stdin", "/proc/self/fd/0"),
        DeviceLink("/dev/stdout", "/proc/self/fd/1"),
        DeviceLink("/dev/stderr", "/proc/self/fd/2"),
        DeviceLink("/dev/core", "/proc/kcore", needsTarget: true),
    ]

    /// Runtime-spec: config-linux.md, Default Devices. Always the container's own: an image's node is replaced.
    package static let ptmx = DeviceLink("/dev/ptmx", "pts/ptmx", .replace)

    private init(_ path: String, _ target: String, _ existing: Existing = .keep, needsTarget: Bool = false) {
        self.path = path
        self.target = target
        self.existing = existing
        self.needsTarget = needsTarget
    }
}

extension DeviceNode {
    /// `/dev/null c 1:3`.
    var summary: String {
        kind == .fifo ? "\(path) p" : "\(path) \(kind.rawValue) \(major):\(minor)"
    }
}
