// HOME, when the configuration does not set it: from the container's own /etc/passwd, read as data from a hostile
// file: no name service, no more than a bounded number of bytes.

internal import LinuxSystem

/// The home directory of a container's user.
enum HomeDirectory {
    private static let maximumSize = 1 << 20

    /// The sixth field of the first passwd line with that uid, else `/`.
    static func of(uid: UInt32) -> String {
        guard let file = try? BorrowedFD.workingDirectory.open("/etc/passwd", [.readOnly, .nonBlocking]),
            let facts = try? file.borrowed.facts(), facts.kind == .regular,
            let bytes = try? file.borrowed.readToEnd(limit: maximumSize)
        else { return "/" }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 6, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid else { continue }
            let home = String(decoding: fields[5], as: UTF8.self)
            return home.isEmpty ? "/" : home
        }
        return "/"
    }

    /// `environment` with HOME, when it has none or an empty one.
    static func complete(_ environment: [String], uid: UInt32) -> [String] {
        if environment.contains(where: { $0.hasPrefix("HOME=") && $0 != "HOME=" }) { return environment }
        return environment.filter { $0 != "HOME=" } + ["HOME=\(of(uid: uid))"]
    }
}
