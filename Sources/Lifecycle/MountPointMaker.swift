// Before a restore: criu mounts where the container's mounts were, and makes no directory or file for that. Those in
// other mounts come with these.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem
internal import PathResolution

/// Making what is missing in a root filesystem.
enum MountPointMaker {
    static func make(_ c: ContainerConfiguration) throws(Failure) {
        let directory = try attempt("open the root filesystem \(c.root.path)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(c.root.path, [.path, .directory])
        }
        let root = RootHandle(directory, name: "the root filesystem")
        for (index, mount) in c.mounts.enumerated() {
            let isCovered = c.mounts[..<index].contains { mount.destination.hasPrefix($0.destination + "/") }
            if isCovered || mount.kind == .remount { continue }
            if case .bind = mount.kind, let source = mount.source, try !isDirectory(source, index) {
                _ = try root.makeFile(mount.destination)
            } else {
                _ = try root.makeDirectories(mount.destination)
            }
        }
    }

    private static func isDirectory(_ path: String, _ index: Int) throws(Failure) -> Bool {
        try attempt("look at mounts[\(index)].source \(path)", .statx) { () throws(Errno) in
            try BorrowedFD.workingDirectory.facts(of: path, following: true).kind == .directory
        }
    }
}
