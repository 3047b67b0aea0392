// Whoever gets datagrams of the program: a service manager, the journal, the system log.

import Foundation
import Testing

/// A datagram socket at a path, or at an abstract name behind `@`.
final class DatagramListener {
    let address: String
    private let descriptor: Int32

    init(_ address: String) throws {
        self.address = address
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        var length = MemoryLayout<sockaddr_un>.size
        if address.hasPrefix("@") {
            bytes[0] = 0
            length = 2 + bytes.count
        }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = descriptor
        let result = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    /// The next datagram, waiting at most so long.
    func next(seconds: Double = 20) -> String? {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, Int32(seconds * 1000)) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    var isQuiet: Bool { next(seconds: 0.3) == nil }
}
