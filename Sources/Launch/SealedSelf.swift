// The runtime's own file must not be writable through /proc/PID/exe by a container that shares a namespace with one of
// its processes (CVE-2019-5736). So commands that make processes run from a sealed copy: a read-only overlay of two
// layers (nothing to write to, no memory used, cannot be remounted writable), else a sealed file in memory.

package import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// Running from a copy that nobody can change.
package enum SealedSelf {
    /// Set for the second start: the mount id of the sealed file, so that a value from outside proves nothing.
    private static let marker = "_APUS_SEALED"

    /// Starts this program again from a sealed copy, with the same arguments and descriptors, unless it already is one.
    /// - Parameter emptyLayer: A directory that can be the overlay's second layer; nothing is looked up in it.
    package static func ensure(arguments: [String], emptyLayer: String) throws(Failure) {
        let environment = Processes.environment
        if let value = environment.last(where: { $0.hasPrefix(marker + "=") })?.dropFirst(marker.utf8.count + 1) {
            if try isSealed(mountID: String(value)) { return }
        }
        let sealed = try seal(emptyLayer)
        let mountID = try attempt("look at the sealed program", .statx) { () throws(Errno) in
            try sealed.borrowed.facts().mountID
        }
        let rest = environment.filter { !$0.hasPrefix(marker + "=") }
        let prepared = PreparedExec(path: "", arguments: arguments, environment: rest + ["\(marker)=\(mountID)"])
        throw Failure("start again from the sealed program", .execveat, prepared.execute(sealed.borrowed))
    }

    /// The environment without this module's marker: what hooks and programs inherit.
    package static var inheritedEnvironment: [String] {
        Processes.environment.filter { !$0.hasPrefix(marker + "=") }
    }

    private static func isSealed(mountID: String) throws(Failure) -> Bool {
        try attempt("look at the program's own file", .statx) { () throws(Errno) in
            let own = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
            guard String(try own.borrowed.facts().mountID) == mountID else { return false }
            let (type, flags) = try own.borrowed.fileSystem()
            return type == FileSystemType.overlay && flags & 1 == 1 || AnonymousFiles.isSealed(own.borrowed)
        }
    }

    private static func seal(_ emptyLayer: String) throws(Failure) -> OwnedFD {
        if let overlay = try? overlayCopy(emptyLayer) { return overlay }
        return try attempt("copy the program to sealed memory", .memfdCreate) { () throws(Errno) in try memoryCopy() }
    }

    private static func overlayCopy(_ emptyLayer: String) throws(Errno) -> OwnedFD {
        let path = try BorrowedFD.workingDirectory.readLink("/proc/self/exe")
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { throw .EINVAL }
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        let name = String(path[path.utf8.index(after: slash)...])
        let context = try MountAPI.openFileSystem("overlay")
        // Two lower layers and no upper one: there is nothing that a write could go to.
        try MountAPI.setString(context.borrowed, "lowerdir", "\(escaped(directory)):\(escaped(emptyLayer))")
        try MountAPI.setString(context.borrowed, "xino", "off")
        try MountAPI.create(context.borrowed)
        let mount = try MountAPI.mount(context.borrowed, [.readOnly, .noSetID, .noDevices])
        return try mount.borrowed.open(name, [.path, .noFollow])
    }

    private static func escaped(_ path: String) -> String {
        path.reduce(into: "") { text, character in
            if character == ":" || character == "\\" || character == "," { text.append("\\") }
            text.append(character)
        }
    }

    private static func memoryCopy() throws(Errno) -> OwnedFD {
        let source = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
        let copy = try AnonymousFiles.make("apus", executable: true)
        while try AnonymousFiles.copy(from: source.borrowed, to: copy.borrowed, count: 1 << 24) > 0 {}
        try copy.borrowed.changeMode(0o511)
        try AnonymousFiles.seal(copy.borrowed)
        return copy
    }
}
