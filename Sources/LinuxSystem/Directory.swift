// Listing a directory. Names are bytes to the kernel; a name that is not UTF-8 is reported as such, never repaired.

internal import CLinux
internal import Glibc

extension BorrowedFD {
    /// One entry of a directory, without `.` and `..`.
    package struct Entry: Sendable {
        /// `nil` when the name is not UTF-8.
        package let name: String?
        package let isDirectory: Bool
    }

    /// All entries, in the kernel's order. The descriptor's offset must be at the start.
    /// The corresponding system call is `getdents64(2)`.
    package func entries() throws(Errno) -> [Entry] {
        var entries: [Entry] = []
        while true {
            let buffer = try rawEntries()
            let count = buffer.count
            if count == 0 { return entries }
            var offset = 0
            while offset + 19 <= count {
                let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
                if length < 19 || offset + length > count { throw .EIO }
                let type = buffer[offset + 18]
                let name = buffer[(offset + 19)..<(offset + length)].prefix { $0 != 0 }
                if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) {
                    entries.append(Entry(name: String(utf8: name), isDirectory: type == UInt8(DT_DIR)))
                }
                offset += length
            }
        }
    }

    private func rawEntries() throws(Errno) -> [UInt8] {
        var failure: Errno?
        // Not filled with zeroes first: a directory of cgroups takes a small part of it.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            do throws(Errno) {
                count = try check(unsafe clinux_getdents64(rawValue, start, buffer.count))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
