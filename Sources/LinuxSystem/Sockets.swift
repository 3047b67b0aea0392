// Unix sockets and descriptors passed over them.

internal import CLinux
internal import Glibc

/// Socket system calls.
package enum Sockets {
    /// Sets an interface of this network namespace up. The corresponding requests are `SIOCGIFFLAGS` and
    /// `SIOCSIFFLAGS` of netdevice(7).
    package static func bringUp(interface: String) throws(Errno) {
        try check(unsafe clinux_interface_up(interface))
    }

    /// Two connected sockets that keep message borders. The corresponding system call is `socketpair(2)`.
    package static func pair() throws(Errno) -> DescriptorPair {
        var fds: [CInt] = [-1, -1]
        try check(unsafe clinux_socketpair_seqpacket(&fds))
        return DescriptorPair(OwnedFD(adopting: fds[0]), OwnedFD(adopting: fds[1]))
    }

    /// A stream connected to the socket at `path`, at most 107 bytes long. The corresponding call is `connect(2)`.
    package static func connect(toStreamAt path: String) throws(Errno) -> OwnedFD {
        let socket = OwnedFD(try check(clinux_socket_unix(CInt(SOCK_STREAM.rawValue))))
        try checkRetrying { unsafe clinux_connect_unix(socket.rawValue, path) }
        return socket
    }

    /// How a unix socket is found.
    package enum Name: Sendable {
        /// At most 107 bytes.
        case path(String)
        /// A name of unix(7)'s abstract namespace, at most 107 bytes.
        case abstract(String)
    }

    /// A non-blocking stream; a listener whose queue is full is `EAGAIN`. The corresponding call is `connect(2)`.
    package static func connectWithoutWaiting(to name: Name) throws(Errno) -> OwnedFD {
        let socket = OwnedFD(try check(clinux_socket_unix(CInt(SOCK_STREAM.rawValue))))
        try socket.borrowed.setNonBlocking(true)
        try connect(socket.borrowed, to: name)
        return socket
    }

    /// A socket whose datagrams go to `name`. The corresponding system call is `connect(2)`.
    package static func connect(toDatagramsAt name: Name) throws(Errno) -> OwnedFD {
        let socket = OwnedFD(try check(clinux_socket_unix(CInt(SOCK_DGRAM.rawValue))))
        try connect(socket.borrowed, to: name)
        return socket
    }

    private static func connect(_ socket: BorrowedFD, to name: Name) throws(Errno) {
        switch name {
        case .path(let path):
            try checkRetrying { unsafe clinux_connect_unix(socket.rawValue, path) }
        case .abstract(let text):
            let bytes = Array(text.utf8)
            try checkRetrying { unsafe clinux_connect_abstract(socket.rawValue, bytes, bytes.count) }
        }
    }

    /// A socket that receives the datagrams sent to a new file in `directory`, however long the directory's own path is.
    /// The corresponding system call is `bind(2)`.
    package static func listen(forDatagramsAt name: String, in directory: BorrowedFD) throws(Errno) -> OwnedFD {
        let socket = OwnedFD(try check(clinux_socket_unix(CInt(SOCK_DGRAM.rawValue))))
        let path = directory.procPath + "/" + name
        try check(unsafe clinux_bind_unix(socket.rawValue, path))
        return socket
    }
}

extension BorrowedFD {
    /// Sends as much as a stream takes at once, and never raises SIGPIPE. The corresponding call is `sendmsg(2)`.
    package func sendSome(_ bytes: [UInt8]) throws(Errno) -> Int {
        try checkRetrying { unsafe clinux_send_fds(rawValue, bytes, bytes.count, nil, 0) }
    }

    /// Sends bytes with at most 32 descriptors in one message. The corresponding system call is `sendmsg(2)`.
    package func send(_ bytes: [UInt8], descriptors: [BorrowedFD] = []) throws(Errno) {
        let raw = descriptors.map(\.rawValue)
        let sent = try checkRetrying { unsafe clinux_send_fds(rawValue, bytes, bytes.count, raw, raw.count) }
        if sent != bytes.count { throw .EIO }
    }

    /// One message of at most `limit` bytes with the descriptors that came along, close-on-exec. Empty at the end of
    /// the stream. The corresponding system call is `recvmsg(2)`.
    package func receive(upTo limit: Int) throws(Errno) -> (bytes: [UInt8], descriptors: [CInt]) {
        var bytes = [UInt8](repeating: 0, count: limit)
        var fds = [CInt](repeating: -1, count: 32)
        var count = fds.count
        let received = try checkRetrying {
            count = fds.count
            return unsafe clinux_receive_fds(rawValue, &bytes, limit, &fds, &count)
        }
        return (Array(bytes.prefix(received)), Array(fds.prefix(count)))
    }
}
