// The few requests of rtnetlink(7) that moving a network device takes. A socket stays in the network namespace in which
// it was made, wherever its process goes.

internal import CLinux

/// A network device.
package struct NetworkLink: Equatable, Sendable {
    /// Unique in its namespace.
    package let index: Int32
    package let name: String
    package let isUp: Bool
}

/// An address of a network device, as much of it as is given again elsewhere.
package struct NetworkAddress: Equatable, Sendable {
    /// `AF_INET`, `AF_INET6`.
    let family: UInt8
    let prefixLength: UInt8
    /// `IFA_F_*`; see rtnetlink(7).
    let flags: UInt32
    /// `RT_SCOPE_*`.
    let scope: UInt8
    /// `IFA_ADDRESS`, `IFA_LOCAL`, `IFA_BROADCAST` and `IFA_RT_PRIORITY`, as the kernel gave them.
    let attributes: [(type: UInt16, value: [UInt8])]

    /// Whether it stays until it is taken away, and is valid everywhere.
    package var isPermanentAndGlobal: Bool { flags & 0x80 != 0 && scope == 0 }

    package static func == (left: NetworkAddress, right: NetworkAddress) -> Bool {
        left.family == right.family && left.prefixLength == right.prefixLength && left.flags == right.flags
            && left.scope == right.scope
            && left.attributes.elementsEqual(right.attributes) { $0.type == $1.type && $0.value == $1.value }
    }
}

/// A socket for rtnetlink(7).
package final class RouteSocket {
    private let socket: OwnedFD
    private var sequence: UInt32 = 0

    private enum Message {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let newLink: UInt16 = 16
        static let getLink: UInt16 = 18
        static let setLink: UInt16 = 19
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
    }

    private enum Flag {
        static let acknowledge: UInt16 = 4
        static let dump: UInt16 = 0x300
        static let create: UInt16 = 0x600
    }

    private enum Attribute {
        static let interfaceName: UInt16 = 3
        static let namespaceDescriptor: UInt16 = 28
        static let addressFlags: UInt16 = 8
        static let address: Set<UInt16> = [1, 2, 4, 9]
    }

    /// Those that say how an address is to be, not how it is: no duplicate detection, home address, no prefix route,
    /// automatic join of multicast groups.
    private static let wantedAddressFlags: UInt32 = 0x2 | 0x10 | 0x200 | 0x400

    /// In this process's network namespace.
    package init() throws(Errno) {
        socket = OwnedFD(try check(clinux_socket_route()))
    }

    /// The device of that name; `nil` when there is none.
    package func link(named name: String) throws(Errno) -> NetworkLink? {
        var body = Self.linkHeader(index: 0)
        body.attribute(Attribute.interfaceName, Array(name.utf8) + [0])
        let answers: [[UInt8]]
        do throws(Errno) {
            answers = try request(Message.getLink, 0, body)
        } catch .ENODEV {
            return nil
        }
        guard let answer = answers.first, answer.count >= 16 else { throw .EIO }
        let label = Self.attributes(answer[16...]).first { $0.type == Attribute.interfaceName }?.value.dropLast() ?? []
        return NetworkLink(
            index: Int32(bitPattern: answer.word32(4)),
            name: String(decoding: label, as: UTF8.self),
            isUp: answer.word32(8) & 1 != 0
        )
    }

    /// All addresses of a device.
    package func addresses(of index: Int32) throws(Errno) -> [NetworkAddress] {
        try request(Message.getAddress, Flag.dump, [UInt8](repeating: 0, count: 8)).compactMap { answer in
            guard answer.count >= 8, answer.word32(4) == UInt32(bitPattern: index) else { return nil }
            let attributes = Self.attributes(answer[8...])
            let flags = attributes.first { $0.type == Attribute.addressFlags && $0.value.count == 4 }?.value.word32(0)
            return NetworkAddress(
                family: answer[0],
                prefixLength: answer[1],
                flags: flags ?? UInt32(answer[2]),
                scope: answer[3],
                attributes: attributes.filter { Attribute.address.contains($0.type) }
            )
        }
    }

    /// Gives a device an address. One that it has by now is no error.
    package func add(_ address: NetworkAddress, to index: Int32) throws(Errno) {
        var body: [UInt8] = [address.family, address.prefixLength, 0, address.scope]
        body.append32(UInt32(bitPattern: index))
        for (type, value) in address.attributes { body.attribute(type, value) }
        var flags: [UInt8] = []
        flags.append32(address.flags & Self.wantedAddressFlags)
        body.attribute(Attribute.addressFlags, flags)
        do throws(Errno) {
            _ = try request(Message.newAddress, Flag.acknowledge | Flag.create, body)
        } catch .EEXIST {
            return
        }
    }

    /// Moves a device of this socket's namespace to another one, where it has the new name and is down.
    package func move(_ index: Int32, to namespace: BorrowedFD, name: String) throws(Errno) {
        var body = Self.linkHeader(index: index)
        var descriptor: [UInt8] = []
        descriptor.append32(UInt32(bitPattern: namespace.rawValue))
        body.attribute(Attribute.namespaceDescriptor, descriptor)
        body.attribute(Attribute.interfaceName, Array(name.utf8) + [0])
        _ = try request(Message.setLink, Flag.acknowledge, body)
    }

    /// Renames a device that is down; `%d` in the name becomes the first free number.
    package func rename(_ index: Int32, to name: String) throws(Errno) {
        var body = Self.linkHeader(index: index)
        body.attribute(Attribute.interfaceName, Array(name.utf8) + [0])
        _ = try request(Message.setLink, Flag.acknowledge, body)
    }

    package func setUp(_ index: Int32) throws(Errno) {
        _ = try request(Message.newLink, Flag.acknowledge, Self.linkHeader(index: index, flags: 1, change: 1))
    }

    /// `struct ifinfomsg`.
    private static func linkHeader(index: Int32, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        var header: [UInt8] = [0, 0, 0, 0]
        header.append32(UInt32(bitPattern: index))
        header.append32(flags)
        header.append32(change)
        return header
    }

    /// Sends one request and reads until it is answered.
    /// - Returns: What came without its headers; nothing where only an acknowledgement came.
    private func request(_ type: UInt16, _ flags: UInt16, _ body: [UInt8]) throws(Errno) -> [[UInt8]] {
        sequence += 1
        var message: [UInt8] = []
        message.append32(UInt32(16 + body.count))
        message.append16(type)
        message.append16(flags | 1)
        message.append32(sequence)
        message.append32(0)
        try socket.borrowed.writeOnce(message + body)
        var answers: [[UInt8]] = []
        while true {
            let datagram = try socket.borrowed.read(upTo: 65_536)
            var offset = 0
            while offset + 16 <= datagram.count {
                let length = Int(datagram.word32(offset))
                guard length >= 16, offset + length <= datagram.count else { throw .EIO }
                let isMine = datagram.word32(offset + 8) == sequence
                let content = Array(datagram[(offset + 16)..<(offset + length)])
                switch datagram.word16(offset + 4) {
                case Message.error where isMine:
                    guard content.count >= 4 else { throw .EIO }
                    let number = Int32(bitPattern: content.word32(0))
                    if number != 0 { throw Errno(-number) }
                    return answers
                case Message.done where isMine: return answers
                default:
                    if isMine { answers.append(content) }
                }
                offset += (length + 3) & ~3
            }
            // A single object is its own end.
            if flags & (Flag.dump | Flag.acknowledge) == 0, !answers.isEmpty { return answers }
        }
    }

    private static func attributes(_ bytes: ArraySlice<UInt8>) -> [(type: UInt16, value: [UInt8])] {
        let bytes = Array(bytes)
        var found: [(type: UInt16, value: [UInt8])] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(bytes.word16(offset))
            guard length >= 4, offset + length <= bytes.count else { break }
            // Two bits say how the content is written.
            found.append((bytes.word16(offset + 2) & 0x3fff, Array(bytes[(offset + 4)..<(offset + length)])))
            offset += (length + 3) & ~3
        }
        return found
    }
}

/// Numbers in the machine's own order, as netlink(7) has them.
extension [UInt8] {
    fileprivate mutating func append16(_ value: UInt16) {
        let value = value.littleEndian
        self += [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    fileprivate mutating func append32(_ value: UInt32) {
        let value = value.littleEndian
        self += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    /// A header, the value, and what fills it up to four bytes.
    fileprivate mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        append16(UInt16(4 + value.count))
        append16(type)
        self += value
        self += [UInt8](repeating: 0, count: -value.count & 3)
    }

    fileprivate func word16(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: UInt16(self[offset]) | UInt16(self[offset + 1]) << 8)
    }

    fileprivate func word32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) })
    }
}
