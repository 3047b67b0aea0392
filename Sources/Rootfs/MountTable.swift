// Reads the mount table, for `--no-pivot` alone: nothing else in this room depends on it.

internal import Diagnostics
internal import LinuxSystem

/// `/proc/self/mountinfo`; see proc_pid_mountinfo(5).
package enum MountTable {
    /// Larger tables than this are refused: bytes.
    private static let sizeLimit = 16 << 20

    /// Where procfs and sysfs are mounted, but not below `root`.
    static func kernelFileSystems(outside root: String) throws(Failure) -> [String] {
        let bytes = try attempt("read the mount table", .read) { () throws(Errno) in
            let file = try BorrowedFD.workingDirectory.open("/proc/self/mountinfo", [.readOnly])
            return try file.borrowed.readToEnd(limit: sizeLimit)
        }
        return kernelFileSystems(in: String(decoding: bytes, as: UTF8.self), outside: root)
    }

    /// The same, of a table's text.
    static func kernelFileSystems(in table: String, outside root: String) -> [String] {
        table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.count else {
                return nil
            }
            guard fields[dash + 1] == "proc" || fields[dash + 1] == "sysfs" else { return nil }
            let place = unescaped(fields[4])
            return place == root || place.hasPrefix(root + "/") ? nil : place
        }
    }

    /// Space, tab, newline and backslash are written as three octal digits.
    package static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                rest = rest.dropFirst(3)
                bytes.append(code)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
