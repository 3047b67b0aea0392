// From `linux.resources` to values for files, what is common to cgroup v1 and v2. Pure: the kernel is not asked. The
// two other files of this name say what each version makes of a limit; devices are DeviceAccess's and DeviceProgram's.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

/// The translations. As in runc, a limit of 0 means "not set", except where 0 is a limit (pids, priorities, usage).
package enum ResourceTranslation {
    static let memoryKey = "linux.resources.memory"
    static let cpuKey = "linux.resources.cpu"
    static let blockIOKey = "linux.resources.blockIO"

    /// The number unless it is absent or 0.
    static func given<Number: BinaryInteger>(_ number: Number?) -> Number? {
        number.flatMap { $0 == 0 ? nil : $0 }
    }

    static func cpuset(_ cpu: CPUResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let cpus = cpu.cpus, !cpus.isEmpty {
            writes.append(CgroupWrite("cpuset", "cpuset.cpus", cpus, key: "\(cpuKey).cpus"))
        }
        if let mems = cpu.mems, !mems.isEmpty {
            writes.append(CgroupWrite("cpuset", "cpuset.mems", mems, key: "\(cpuKey).mems"))
        }
        return writes
    }

    static func pids(_ limit: Int64?) -> [CgroupWrite] {
        guard let limit else { return [] }
        return [CgroupWrite("pids", "pids.max", limit < 0 ? "max" : "\(limit)", key: "linux.resources.pids.limit")]
    }

    static func rdma(_ limits: [RDMALimit]) -> [CgroupWrite] {
        limits.map { limit in
            let numbers = [
                limit.handles.map { "hca_handle=\($0)" },
                limit.objects.map { "hca_object=\($0)" },
            ].compactMap { $0 }
            return CgroupWrite(
                "rdma",
                "rdma.max",
                ([limit.device] + numbers).joined(separator: " "),
                key: "linux.resources.rdma.\(limit.device)"
            )
        }
    }

    /// Each limit twice: on pages in use, and on pages reserved where the kernel can limit those.
    /// - Parameter suffix: `limit_in_bytes` or `max`.
    static func hugepages(_ limits: [HugepageLimit], suffix: String) -> [CgroupWrite] {
        limits.enumerated().flatMap { index, limit in
            let key = "linux.resources.hugepageLimits[\(index)].limit"
            let prefix = "hugetlb.\(limit.pageSize)"
            return [
                CgroupWrite("hugetlb", "\(prefix).\(suffix)", "\(limit.limit)", key: key),
                CgroupWrite("hugetlb", "\(prefix).rsvd.\(suffix)", "\(limit.limit)", key: key, ignorable: [.ENOENT]),
            ]
        }
    }

    /// A limit on memory and swap together must not be below the one on memory.
    static func checkSwap(_ memory: MemoryResources) throws(Failure) {
        guard let swap = given(memory.swap), swap > 0, let limit = given(memory.limit) else { return }
        if limit < 0 || swap < limit {
            throw Failure(
                "\(memoryKey).swap: \(swap) is below linux.resources.memory.limit (\(limit)); "
                    + "it limits memory and swap together, or is -1",
                .configInvalid,
                subject: "\(memoryKey).swap"
            )
        }
    }
}
