// Names of units and where systemd puts their cgroups. Pure. See systemd.unit(5) and systemd.slice(5).

package import Diagnostics

/// The scope unit of a container, and the slice that it is in.
package struct ScopeName: Equatable, Sendable {
    /// `libpod-0123.scope`.
    package let unit: String
    /// `user-runtime.slice`.
    package let slice: String

    /// A name that was checked before.
    package init(unit: String, slice: String) {
        self.unit = unit
        self.slice = slice
    }

    private static let longestName = 255

    /// The scope that `linux.cgroupsPath` asks for.
    /// - Parameters:
    ///   - cgroupsPath: `slice:prefix:name`; the slice and the prefix may be empty. `nil`: one named after the id.
    ///   - isUser: Whether for a user's own systemd: its default slice is another.
    package init(cgroupsPath: String?, id: String, isUser: Bool) throws(Failure) {
        let key = "linux.cgroupsPath"
        let standard = isUser ? "user.slice" : "system.slice"
        guard let cgroupsPath, !cgroupsPath.isEmpty else {
            self.init(unit: "apus-\(Self.escaped(id)).scope", slice: standard)
            return
        }
        let parts = cgroupsPath.split(separator: ":" as Character, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw Failure(
                "\(key): expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, "
                    + "got \"\(cgroupsPath)\" instead",
                .configInvalid,
                subject: key
            )
        }
        let (slice, prefix, name) = (parts[0].isEmpty ? standard : parts[0], parts[1], parts[2])
        guard Self.slicePath(slice) != nil else {
            throw Failure(
                "\(key): \"\(slice)\" is not the name of a slice; words joined by single dashes and .slice behind are, "
                    + "as in machine-web.slice",
                .configInvalid,
                subject: key
            )
        }
        guard !name.isEmpty, !name.hasSuffix(".slice") else {
            throw Failure(
                "\(key): \"\(name)\" cannot be the name of a container's scope; it must not be empty or a slice",
                .configInvalid,
                subject: key
            )
        }
        let unit = (prefix.isEmpty ? name : "\(prefix)-\(name)") + ".scope"
        guard unit.utf8.count <= Self.longestName, unit.utf8.allSatisfy(Self.isUnitByte) else {
            throw Failure(
                "\(key): \"\(unit)\" is not the name of a unit; at most \(Self.longestName) letters, digits and :-_.\\ are",
                .configInvalid,
                subject: key
            )
        }
        self.init(unit: unit, slice: slice)
    }

    /// Below the control group of the manager: `user.slice/user-runtime.slice/libpod-0123.scope`.
    package var path: String {
        let above = Self.slicePath(slice) ?? slice
        return above.isEmpty ? unit : "\(above)/\(unit)"
    }

    /// `a.slice/a-b.slice` of `a-b.slice`; empty for the root slice, `nil` for what is no slice.
    static func slicePath(_ slice: String) -> String? {
        let suffix = ".slice"
        guard slice.hasSuffix(suffix), slice.utf8.count <= longestName, slice.utf8.allSatisfy(isUnitByte) else {
            return nil
        }
        let stem = slice.dropLast(suffix.utf8.count)
        if stem == "-" { return "" }
        let words = stem.split(separator: "-" as Character, omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty }) else { return nil }
        return words.indices.map { words[...$0].joined(separator: "-") + suffix }.joined(separator: "/")
    }

    private static func isUnitByte(_ byte: UInt8) -> Bool {
        isPlain(byte) || byte == UInt8(ascii: "\\")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// What no unit may be called by becomes `\xHH`.
    private static func escaped(_ id: String) -> String {
        var bytes: [UInt8] = []
        for byte in id.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                let digits = String(byte, radix: 16)
                bytes += Array("\\x\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
