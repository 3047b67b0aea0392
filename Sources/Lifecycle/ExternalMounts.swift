// What of a container's mount table comes from outside: criu can neither write nor make it, and is told what stands
// for it. A checkpoint names each place, a restore what is to be mounted there.

package import Cgroups
package import Configuration
internal import Diagnostics
internal import Launch
internal import LinuxSystem
internal import PathResolution
internal import Rootfs

/// A mount of something outside of the container.
package struct ExternalMount: Equatable, Sendable {
    /// In the container, as config.json has it: its name in the images.
    package let destination: String
    /// On the host.
    package let source: String
    /// Whether the mounts below the source are there too.
    package let isRecursive: Bool

    /// All of a container's.
    /// - Parameter cgroups: Where the container's cgroups are.
    package static func list(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ cgroups: CgroupPlacement
    ) -> [ExternalMount] {
        RootfsPlan.beforePivot(c, f).flatMap { step -> [ExternalMount] in
            switch step {
            case .mount(let mount): Self.of(mount, cgroups)
            case .device(let device, binds: true):
                [ExternalMount(destination: device.path, source: device.path, isRecursive: false)]
            default: []
            }
        }
    }

    private static func of(_ mount: PlannedMount, _ cgroups: CgroupPlacement) -> [ExternalMount] {
        switch mount.act {
        case .bind(let source, let recursive, _):
            return [ExternalMount(destination: mount.destination, source: source, isRecursive: recursive)]
        case .cgroup(let view) where !view.hasOwnNamespace:
            // The container's own directories, bound.
            return cgroups.mountSources().compactMap { source in
                if view.isUnified && source.version == .legacy { return nil }
                return ExternalMount(
                    destination: view.isUnified ? mount.destination : "\(mount.destination)/\(source.name)",
                    source: source.path,
                    isRecursive: false
                )
            }
        case .cgroup, .fileSystem, .remount: return []
        }
    }
}

extension [ExternalMount] {
    /// For a dump: where each is mounted, and what it is called in the images.
    /// - Parameter pid: The container's process.
    func dumped(from pid: CInt) throws(Failure) -> [String] {
        if isEmpty { return [] }
        let table = try MountPoints(ofProcess: "\(pid)")
        let directory = try attempt("open the root of process \(pid)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open("/proc/\(pid)/root", [.path, .directory])
        }
        let root = RootHandle(directory, name: "the container's root")
        var words: [String] = []
        for mount in self {
            // A destination may be a link of the image: the kernel knows where it led.
            guard let place = try root.openIfPresent(mount.destination, [.path]) else { continue }
            let id = try attempt("look at \(mount.destination) in the container", .statx) { () throws(Errno) in
                try place.borrowed.facts().mountID
            }
            guard let point = table.paths[id] else { continue }
            words.append("mnt[\(point)]:\(mount.destination)")
            guard mount.isRecursive else { continue }
            let others = Set(map(\.destination))
            for below in table.below(point) where !others.contains(mount.destination + below) {
                words.append("mnt[\(point)\(below)]:\(mount.destination)\(below)")
            }
        }
        return words
    }

    /// For a restore: what each of the images' names is.
    func restored() throws(Failure) -> [String] {
        if isEmpty { return [] }
        let table = try MountPoints(ofProcess: "self")
        return flatMap { mount in
            ["mnt[\(mount.destination)]:\(mount.source)"]
                + (mount.isRecursive ? table.below(mount.source) : []).map {
                    "mnt[\(mount.destination)\($0)]:\(mount.source)\($0)"
                }
        }
    }
}

/// Where things are mounted; see proc_pid_mountinfo(5).
struct MountPoints {
    /// By the mount's id.
    private(set) var paths: [UInt64: String] = [:]

    /// - Parameter process: A pid, or `self`.
    init(ofProcess process: String) throws(Failure) {
        let bytes = try attempt("read the mount table of process \(process)", .read) { () throws(Errno) in
            let file = try BorrowedFD.workingDirectory.open("/proc/\(process)/mountinfo", .readOnly)
            return try file.borrowed.readToEnd(limit: 16 << 20)
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n" as Character) {
            let fields = line.split(separator: " " as Character)
            guard fields.count > 4, let id = UInt64(fields[0]) else { continue }
            paths[id] = MountTable.unescaped(fields[4])
        }
    }

    /// Of the mounts below a path: what their paths have behind it, `/a/b`.
    func below(_ path: String) -> [String] {
        paths.values.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count)) }.sorted()
    }
}
