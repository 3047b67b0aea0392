// The container's standard streams, which lead outside of it. A checkpoint writes down what they were, beside the
// images; a restore puts its own in their place. `descriptors.json` is the file that runc writes too: an array of
// three texts.

internal import CRIU
internal import Diagnostics
internal import JSON
internal import LinuxSystem

/// What the standard streams of a container's process are, as criu's images call it.
struct StandardStreams: Equatable {
    private static let fileName = "descriptors.json"

    /// `pipe:[4711]` for what comes from outside; for others the file's name.
    private(set) var names: [String]

    /// Those of a process.
    init(ofProcess pid: CInt) throws(Failure) {
        let mounts = try MountPoints(ofProcess: "\(pid)")
        names = []
        for number in 0..<3 {
            names.append(try Self.name(of: number, pid, mounts))
        }
    }

    private static func name(of number: Int, _ pid: CInt, _ mounts: MountPoints) throws(Failure) -> String {
        do throws(Errno) {
            let link = try BorrowedFD.workingDirectory.readLink("/proc/\(pid)/fd/\(number)")
            guard link.hasPrefix("/") else { return link }
            let file = try BorrowedFD.workingDirectory.open("/proc/\(pid)/fd/\(number)", .path)
            let facts = try file.borrowed.facts()
            if mounts.paths[facts.mountID] != nil { return link }
            // As criu(8) names a file of a mount that the container does not have.
            return "file[\(String(facts.mountID, radix: 16)):\(String(facts.inode, radix: 16))]"
        } catch .ENOENT {
            return ""
        } catch {
            throw Failure("look at descriptor \(number) of process \(pid)", .readlink, error)
        }
    }

    /// Those that a checkpoint wrote down; none where the images have no such file.
    init(in images: BorrowedFD) throws(Failure) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try images.contents(of: Self.fileName, limit: 64 << 10)
        } catch .ENOENT {
            names = []
            return
        } catch {
            throw Failure("read \(Self.fileName) of the images", .read, error)
        }
        do throws(JSONError) {
            names = try JSONDecoder().decode([String].self, from: bytes)
        } catch {
            throw Failure("\(Self.fileName) of the images: \(error)")
        }
    }

    func write(to images: BorrowedFD) throws(Failure) {
        let writer = JSONWriter()
        writer.beginArray()
        for name in names { writer.string(name) }
        writer.end()
        try attempt("write \(Self.fileName) of the images", .write) { () throws(Errno) in
            let file = try images.open(
                Self.fileName,
                [.writeOnly, .create, .truncate, .noFollow],
                mode: 0o600
            )
            try file.borrowed.write(writer.bytes)
        }
    }

    /// For a dump: the files that the container could not open itself.
    var external: [String] {
        names.filter { $0.hasPrefix("file[") }
    }

    /// For a restore: this process's streams in the place of those.
    var inherited: [CRIUResource] {
        names.prefix(3).enumerated().compactMap { number, name in
            guard ["pipe:[", "file["].contains(where: { name.hasPrefix($0) }) else { return nil }
            return CRIUResource(name, BorrowedFD(rawValue: CInt(number)))
        }
    }
}
