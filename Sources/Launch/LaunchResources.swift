// Everything that a birth owns while it runs: the descriptors and prepared bytes that steps name by key. Made by the
// runtime before the clone; init has its copy of the same memory.

package import Cgroups
internal import Confinement
internal import Diagnostics
internal import KernelTypes
package import LinuxSystem
internal import Records
internal import Rootfs

/// Descriptors that live as long as the table, by the order in which they came.
package final class FDTable {
    private var raw: [CInt] = []

    deinit {
        closeAll()
    }

    package init() {}

    /// Takes a descriptor over.
    package func add(_ fd: consuming OwnedFD) {
        raw.append(fd.release())
    }

    /// Takes both descriptors over, in their order.
    package func add(_ pair: consuming DescriptorPair) {
        let (first, second) = pair.release()
        raw += [first, second]
    }

    package var isEmpty: Bool { raw.isEmpty }
    package var descriptors: [BorrowedFD] { raw.map(BorrowedFD.init(rawValue:)) }

    package subscript(index: Int) -> BorrowedFD {
        BorrowedFD(rawValue: raw[index])
    }

    /// Gives the only one up; `nil` when there is none.
    package func take() -> OwnedFD? {
        raw.popLast().map { OwnedFD(adopting: $0) }
    }

    /// Closes one; its place stays.
    package func close(_ index: Int) {
        if raw[index] >= 0 { Descriptors.close(BorrowedFD(rawValue: raw[index])) }
        raw[index] = -1
    }

    package func closeAll() {
        for index in raw.indices { close(index) }
        raw = []
    }
}

/// A `CgroupJoin` that several processes' parts can share.
package final class CgroupEntry {
    package let join: CgroupJoin

    package init(_ join: consuming CgroupJoin) {
        self.join = join
    }
}

/// What one birth owns.
final class LaunchResources {
    private static let runtimeEnd = 0
    private static let childEnd = 1

    private let channel = FDTable()
    /// The runtime's end of the channel.
    let runtimeChannel: SyncChannel
    /// The other processes' end.
    let childChannel: SyncChannel
    let breadcrumb: Breadcrumb
    /// The namespaces to enter, with their kinds in the same order.
    let namespaces = FDTable()
    var namespaceKinds: [NamespaceKind] = []
    /// `exec`: the container's process, at index 0.
    let container = FDTable()
    /// Bind sources opened for init, which takes them.
    var mountSources: MountSources?
    /// What a process needs in order to be in the container's cgroup.
    var cgroupEntry: CgroupEntry?
    /// Index 0: where the terminal's primary goes; in the foreground index 1 is the runtime's end.
    let console = FDTable()
    /// Index 0: where the start comes from; 1: where the report goes. Empty when the channel is the gate.
    let gate = FDTable()
    /// The compiled filter.
    var filter: SeccompFilter?
    var directory: ContainerDirectory?
    /// What was moved of `linux.netDevices`, until the program runs.
    var networkDevices: NetworkDevices?

    init() throws(Failure) {
        channel.add(try attempt("make the channel to init", .socketpair) { () throws(Errno) in try Sockets.pair() })
        runtimeChannel = SyncChannel(channel[Self.runtimeEnd])
        childChannel = SyncChannel(channel[Self.childEnd])
        breadcrumb = try attempt("make the page that shows where init is", .mmap) { () throws(Errno) in
            try Breadcrumb()
        }
    }

    /// In the runtime: whoever waits at the other end of the channel ends.
    func hangUp() { channel.close(Self.runtimeEnd) }

    /// In a child: gives up what only the runtime may hold.
    func closeRuntimeSide() {
        hangUp()
        // A lock lasts as long as any copy of its descriptor.
        directory = nil
    }

    /// In the runtime, when the children have theirs: so that their end is noticed.
    func closeChildSide() {
        channel.close(Self.childEnd)
        cgroupEntry = nil
        mountSources = nil
        gate.closeAll()
    }

    func namespace(_ kind: NamespaceKind) -> BorrowedFD? {
        namespaceKinds.firstIndex(of: kind).map { namespaces[$0] }
    }
}
