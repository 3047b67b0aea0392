// Handing the listener of a system-call filter to the agent that answers it. Runtime-spec: config-linux.md, The
// Container Process State: one document, and the descriptor only with the first bytes of it.

internal import Diagnostics
internal import JSON
internal import LinuxSystem

/// `linux.seccomp.listenerPath`.
enum SeccompListener {
    /// - Parameters:
    ///   - pid: Of the process that has the filter.
    ///   - status: The container's.
    ///   - containerPID: Of the container's own process, if that is another one.
    static func pass(
        descriptor: CInt,
        of pidfd: BorrowedFD,
        pid: CInt,
        to path: String,
        metadata: String?,
        state: HookState,
        status: String = "creating",
        containerPID: CInt? = nil
    ) throws(Failure) {
        let listener = try attempt("take the filter's listener from init", .pidfdGetfd) { () throws(Errno) in
            try Processes.descriptor(descriptor, of: pidfd)
        }
        let document = document(
            pid: pid,
            metadata: metadata,
            state: state,
            status: status,
            containerPID: containerPID ?? pid
        )
        let socket = try attempt("connect to linux.seccomp.listenerPath \(path)", .connect) { () throws(Errno) in
            try Sockets.connect(toStreamAt: path)
        }
        try attempt("send the filter's listener to linux.seccomp.listenerPath \(path)", .sendmsg) { () throws(Errno) in
            try socket.borrowed.send(document, descriptors: [listener.borrowed])
        }
    }

    private static func document(
        pid: CInt,
        metadata: String?,
        state: HookState,
        status: String,
        containerPID: CInt
    ) -> [UInt8] {
        let writer = JSONWriter()
        writer.beginObject()
        writer.name("ociVersion")
        writer.string(state.ociVersion)
        writer.name("fds")
        writer.beginArray()
        writer.string("seccompFd")
        writer.end()
        writer.name("pid")
        writer.integer(pid)
        if let metadata {
            writer.name("metadata")
            writer.string(metadata)
        }
        writer.name("state")
        writer.beginObject()
        state.write(status: status, pid: containerPID, to: writer)
        writer.end()
        writer.end()
        return writer.bytes
    }
}
