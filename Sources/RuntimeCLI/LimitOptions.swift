// The options of `update`, one a limit: how each is written, and which member of `linux.resources` it stands for. The
// check is Configuration's, as for config.json; its key path is turned into the option again for the message.

internal import OCISpec

/// The members of `linux.resources` that options can set.
struct LimitDraft {
    fileprivate var memory = MemoryResources()
    fileprivate var cpu = CPUResources()
    fileprivate var blockIO = BlockIOResources()
    fileprivate var pids = PidsResources()

    /// What was set.
    var resources: Resources {
        var resources = Resources()
        if memory != MemoryResources() { resources.memory = memory }
        if cpu != CPUResources() { resources.cpu = cpu }
        if blockIO != BlockIOResources() { resources.blockIO = blockIO }
        if pids != PidsResources() { resources.pids = pids }
        return resources
    }
}

/// One option that is a limit.
struct LimitOption: Sendable {
    /// Sets the member; `false` when the text is none of its values.
    private typealias Setter = @Sendable (inout LimitDraft, String) -> Bool

    let name: OptionName
    /// In `linux.resources`.
    private let keyPath: String
    private let placeholder: String
    private let help: String
    private let setter: Setter

    private init(
        _ name: OptionName,
        _ keyPath: String,
        _ placeholder: String,
        _ help: String,
        _ setter: @escaping Setter
    ) {
        self.name = name
        self.keyPath = keyPath
        self.placeholder = placeholder
        self.help = help
        self.setter = setter
    }

    private static let table: [LimitOption] = [
        LimitOption(.blockIOWeight, "blockIO.weight", "N", "Weight of block I/O, 10 to 1000", number(\.blockIO.weight)),
        LimitOption(.cpuPeriod, "cpu.period", "USEC", "Length of a period of the CPU quota", number(\.cpu.period)),
        LimitOption(.cpuQuota, "cpu.quota", "USEC", "CPU time in a period; -1 for no limit", number(\.cpu.quota)),
        LimitOption(.cpuBurst, "cpu.burst", "USEC", "CPU time to save up beyond the quota", number(\.cpu.burst)),
        LimitOption(.cpuShare, "cpu.shares", "N", "CPU shares, relative to other containers", number(\.cpu.shares)),
        LimitOption(
            .cpuRealtimePeriod,
            "cpu.realtimePeriod",
            "USEC",
            "Length of a real-time period",
            number(\.cpu.realtimePeriod)
        ),
        LimitOption(
            .cpuRealtimeRuntime,
            "cpu.realtimeRuntime",
            "USEC",
            "Real-time CPU time in such a period",
            number(\.cpu.realtimeRuntime)
        ),
        LimitOption(.cpusetCPUs, "cpu.cpus", "LIST", "Processors to run on, as 0-3,7", list(\.cpu.cpus)),
        LimitOption(.cpusetMems, "cpu.mems", "LIST", "Memory nodes to use, as 0-1", list(\.cpu.mems)),
        LimitOption(.cpuIdle, "cpu.idle", "N", "1 to run only when nothing else wants to, else 0", number(\.cpu.idle)),
        LimitOption(.memory, "memory.limit", "BYTES", "Memory limit, as 512m; -1 for no limit", size(\.memory.limit)),
        LimitOption(
            .memoryReservation,
            "memory.reservation",
            "BYTES",
            "Soft memory limit; -1 for no limit",
            size(\.memory.reservation)
        ),
        LimitOption(
            .memorySwap,
            "memory.swap",
            "BYTES",
            "Limit of memory and swap together; -1 for no limit",
            size(\.memory.swap)
        ),
        LimitOption(
            .kernelMemory,
            "memory.kernel",
            "BYTES",
            "Ignored, as kernels have no such limit any more",
            size(\.memory.kernel)
        ),
        LimitOption(
            .kernelMemoryTCP,
            "memory.kernelTCP",
            "BYTES",
            "Limit of TCP buffers, cgroup v1 only",
            size(\.memory.kernelTCP)
        ),
        LimitOption(
            .pidsLimit,
            "pids.limit",
            "N",
            "How many tasks there may be; -1 for no limit",
            number(\.pids.limit)
        ),
    ]

    /// The rows for the verb table.
    static let rows = table.map { OptionRow.value($0.name, of: $0.placeholder, help: $0.help) }

    /// `--memory` for `memory.limit`.
    static func spelling(ofKeyPath keyPath: String) -> String? {
        table.first { $0.keyPath == keyPath }.map { "--" + $0.name.rawValue }
    }

    /// Sets the limit that an option's text says.
    static func set(_ name: OptionName, to text: String, in draft: inout LimitDraft) throws(OptionProblem) {
        guard let option = table.first(where: { $0.name == name }) else { return }
        guard option.setter(&draft, text) else {
            let expected = option.placeholder == "BYTES" ? "a size such as 512m" : "a number that is accepted here"
            throw OptionProblem(message: "--\(name.rawValue): \"\(text)\" is not \(expected)")
        }
    }

    // MARK: How texts become values

    private static func number<Number: FixedWidthInteger & SendableMetatype>(
        _ member: any WritableKeyPath<LimitDraft, Number?> & Sendable
    ) -> Setter {
        { draft, text in
            draft[keyPath: member] = Number(text)
            return Number(text) != nil
        }
    }

    private static func size(_ member: any WritableKeyPath<LimitDraft, Int64?> & Sendable) -> Setter {
        { draft, text in
            draft[keyPath: member] = Quantity.bytes(text)
            return Quantity.bytes(text) != nil
        }
    }

    private static func list(_ member: any WritableKeyPath<LimitDraft, String?> & Sendable) -> Setter {
        { draft, text in
            draft[keyPath: member] = text
            return true
        }
    }
}
