// `linux.netDevices`: taking devices from the runtime's network namespace to the container's, and back when the creation
// fails. All of it is asked for by the runtime, over one socket in each namespace. Runtime-spec: config-linux.md,
// Network Devices.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import Records

/// The two namespaces, and what was moved.
final class NetworkDevices {
    private struct Moved {
        let device: NetworkDevice
        /// As it was on the host.
        let link: NetworkLink
        let addresses: [NetworkAddress]
        /// Its number in the container.
        let index: Int32
    }

    private let host: RouteSocket
    private let hostNamespace: OwnedFD
    private let container: RouteSocket
    /// Kept open, so that a namespace whose only process has ended still has the devices.
    private let containerNamespace: OwnedFD
    private var moved: [Moved] = []

    /// - Parameter namespace: The container's, a file of `/proc/PID/ns` or what one was opened from.
    init(namespace: consuming OwnedFD) throws(Failure) {
        hostNamespace = try attempt("open this process's network namespace", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open("/proc/self/ns/net", .readOnly)
        }
        host = try attempt("make a route socket", .socket) { () throws(Errno) in try RouteSocket() }
        containerNamespace = namespace
        let target = containerNamespace.borrowed
        try attempt("enter the container's network namespace", .setns) { () throws(Errno) in
            try Namespaces.enter(target, .network)
        }
        var inside: RouteSocket?
        var refusal: Errno?
        do throws(Errno) { inside = try RouteSocket() } catch { refusal = error }
        let home = hostNamespace.borrowed
        try attempt("go back to the runtime's network namespace", .setns) { () throws(Errno) in
            try Namespaces.enter(home, .network)
        }
        guard let inside else {
            throw Failure("make a route socket in the container's network namespace", .socket, refusal ?? .EIO)
        }
        container = inside
    }

    /// Moves one device, with its permanent global addresses, and sets it up.
    func move(_ device: NetworkDevice) throws(Failure) {
        let key = "linux.netDevices.\(device.hostName)"
        guard let link = try look(for: device.hostName, host) else {
            throw Failure("\(key): the host has no network device of this name", .notFound, subject: key)
        }
        if try look(for: device.name, container) != nil {
            throw Failure(
                "\(key): the container's network namespace has a device \(device.name) already",
                .configInvalid,
                subject: key,
                hint: "say another name, or one with %d for a free number"
            )
        }
        let addresses = try attempt("list the addresses of \(device.hostName)", .read) { () throws(Errno) in
            try host.addresses(of: link.index).filter(\.isPermanentAndGlobal)
        }
        // The number may be another there, and the final name is not known when it is a template.
        let passing = "apus\(link.index)"
        do throws(Errno) {
            try host.move(link.index, to: containerNamespace.borrowed, name: passing)
        } catch {
            throw Failure(
                "move \(device.hostName) to the container's network namespace",
                .sendmsg,
                error,
                subject: key,
                hint: error == .EINVAL ? "devices such as lo and bridges cannot leave their namespace" : nil
            )
        }
        guard let arrived = try look(for: passing, container) else {
            throw Failure("\(key): the device did not arrive in the container's network namespace", subject: key)
        }
        moved.append(Moved(device: device, link: link, addresses: addresses, index: arrived.index))
        try attempt("rename \(device.hostName) to \(device.name) in the container", .sendmsg) { () throws(Errno) in
            try container.rename(arrived.index, to: device.name)
        }
        try furnish(arrived.index, addresses, device.name, container)
        try setUp(arrived.index, device.name, container)
    }

    /// Takes everything back to the host, as it was there; goes on after a failure and throws the first.
    func takeBack() throws(Failure) {
        var first: Failure?
        while let last = moved.popLast() {
            do throws(Failure) {
                try takeBack(last)
            } catch {
                if first == nil { first = error }
            }
        }
        if let first { throw first }
    }

    private func takeBack(_ last: Moved) throws(Failure) {
        let name = last.link.name
        try attempt("move \(name) back to the host", .sendmsg) { () throws(Errno) in
            try container.move(last.index, to: hostNamespace.borrowed, name: name)
        }
        guard let link = try look(for: name, host) else {
            throw Failure("move \(name) back to the host: it did not arrive")
        }
        try furnish(link.index, last.addresses, name, host)
        if last.link.isUp { try setUp(link.index, name, host) }
    }

    private func look(for name: String, _ socket: RouteSocket) throws(Failure) -> NetworkLink? {
        if name.utf8.contains(UInt8(ascii: "%")) { return nil }
        return try attempt("look for the network device \(name)", .read) { () throws(Errno) in
            try socket.link(named: name)
        }
    }

    private func furnish(
        _ index: Int32,
        _ addresses: [NetworkAddress],
        _ name: String,
        _ socket: RouteSocket
    ) throws(Failure) {
        try attempt("give \(name) its addresses", .sendmsg) { () throws(Errno) in
            for address in addresses { try socket.add(address, to: index) }
        }
    }

    private func setUp(_ index: Int32, _ name: String, _ socket: RouteSocket) throws(Failure) {
        try attempt("set \(name) up", .sendmsg) { () throws(Errno) in try socket.setUp(index) }
    }
}

extension RuntimeSide {
    func moveNetDevice(_ device: NetworkDevice) throws(Failure) {
        if resources.networkDevices == nil {
            resources.networkDevices = try NetworkDevices(namespace: try containerNetworkNamespace())
        }
        try resources.networkDevices?.move(device)
    }

    /// The one that was opened to be joined, or the one that init was born in.
    private func containerNetworkNamespace() throws(Failure) -> OwnedFD {
        try attempt("open the container's network namespace", .open) { () throws(Errno) in
            if let joined = resources.namespace(.network) { return try OwnedFD.duplicating(joined, atLeast: 3) }
            return try BorrowedFD.workingDirectory.open("/proc/\(initPID)/ns/net", .readOnly)
        }
    }
}
