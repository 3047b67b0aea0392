// The owner column of `list`: the user's name from the machine's passwd file, read as text. The program is static and
// uses no name service.

internal import LinuxSystem

/// Names of the machine's users.
enum UserNames {
    /// The first passwd line with that uid; the number itself when there is none.
    static func name(of uid: UInt32) -> String {
        guard let file = try? BorrowedFD.workingDirectory.open("/etc/passwd", .readOnly),
            let bytes = try? file.borrowed.readToEnd(limit: 16 << 20)
        else { return "\(uid)" }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count >= 3, String(decoding: fields[2], as: UTF8.self) == "\(uid)" {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return "\(uid)"
    }
}
