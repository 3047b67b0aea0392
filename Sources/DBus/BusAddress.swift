// Where a bus is: the form of DBUS_SYSTEM_BUS_ADDRESS. Pure. D-Bus specification: Server Addresses.

/// A socket of a bus, or of a service that talks without one.
package struct BusAddress: Equatable, Sendable, CustomStringConvertible {
    package enum Place: Equatable, Sendable {
        case path(String)
        /// A name of Linux's abstract socket namespace, without the NUL before it.
        case abstract(String)
    }

    package let place: Place
    /// Whether the service itself is at the other end, without a bus daemon between: nobody answers Hello, nobody has to
    /// be asked for signals.
    package let isDirect: Bool

    package init(_ place: Place, isDirect: Bool = false) {
        self.place = place
        self.isDirect = isDirect
    }

    package var description: String {
        switch place {
        case .path(let path): path
        case .abstract(let name): "@\(name)"
        }
    }

    /// The addresses of a list that can be connected to, in their order. Transports other than `unix` are left out.
    /// - Throws: When the list is malformed, or when nothing of it can be used.
    package static func parse(_ list: String) throws(WireProblem) -> [BusAddress] {
        var addresses: [BusAddress] = []
        for entry in list.split(separator: ";" as Character) {
            guard let colon = entry.firstIndex(of: ":") else {
                throw WireProblem("\"\(entry)\" has no transport; unix:path=/... is expected")
            }
            guard entry[..<colon] == "unix" else { continue }
            var place: Place?
            for pair in entry[entry.index(after: colon)...].split(separator: "," as Character) {
                guard let equals = pair.firstIndex(of: "=") else {
                    throw WireProblem("\"\(pair)\" of \"\(entry)\" is not of the form key=value")
                }
                let value = try unescaped(pair[pair.index(after: equals)...])
                switch pair[..<equals] {
                case "path": place = .path(value)
                case "abstract": place = .abstract(value)
                default: break
                }
            }
            if let place { addresses.append(BusAddress(place)) }
        }
        guard !addresses.isEmpty else {
            throw WireProblem("\"\(list)\" has no unix socket; unix:path=/... or unix:abstract=... is expected")
        }
        return addresses
    }

    /// A byte as `%` and two hexadecimal digits.
    private static func unescaped(_ text: Substring) throws(WireProblem) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), value != 0 else {
                throw WireProblem("\"%\(digits)\" in \"\(text)\" is not % and two hexadecimal digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let result = String(validating: bytes, as: UTF8.self), !result.isEmpty else {
            throw WireProblem("\"\(text)\" is empty or not UTF-8")
        }
        return result
    }
}
