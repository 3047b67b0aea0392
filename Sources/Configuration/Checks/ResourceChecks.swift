// Limits of the container's cgroup: the section of a config.json, and the document that `update` reads.
// What a limit becomes in which file is Cgroups' business, and so is whether this machine has the controller.

package import OCISpec

extension Validator {
    /// Returns the limits that `resources` describes.
    ///
    /// A zero where zero is no sensible limit stands for "not asked for": higher runtimes write it so.
    /// - Parameters:
    ///   - place: `linux.resources` in a config.json, the document in a file for `update`.
    ///   - version: The version of the specification that the document was written for.
    package static func resources(
        _ resources: Resources,
        at place: Place,
        version: SpecVersion = .current
    ) throws(ConfigurationProblem) -> ResourceConfiguration {
        var checked = ResourceConfiguration()
        checked.devices = try place.member("devices").each(resources.devices, deviceRule)
        if let memory = resources.memory {
            checked.memory = try self.memory(memory, at: place.member("memory"))
        }
        if let cpu = resources.cpu {
            checked.cpu = try self.cpu(cpu, at: place.member("cpu"))
        }
        if let limit = resources.pids?.limit {
            let count = try place.member("pids").member("limit").number(limit, in: -1...Int64.max)
            // Before 1.3.0 a zero was no limit: podman 4 writes it for --pids-limit=-1.
            checked.pidsLimit = count == 0 && version.minor < 3 ? nil : count
        }
        if let blockIO = resources.blockIO {
            checked.blockIO = try self.blockIO(blockIO, at: place.member("blockIO"))
        }
        checked.hugepages = try hugepages(resources.hugepageLimits, at: place.member("hugepageLimits"))
        if let network = resources.network {
            checked.network = try self.network(network, at: place.member("network"))
        }
        if let rdma = resources.rdma {
            for (device, limit) in rdma {
                checked.rdma.append(try self.rdma(limit, of: device, at: place.member("rdma")))
            }
        }
        if let unified = resources.unified {
            for (file, value) in unified {
                checked.unified.append(try self.unified(value, of: file, at: place.member("unified")))
            }
        }
        return checked
    }

    // MARK: - Memory

    private static func memory(_ memory: OCISpec.MemoryResources, at place: Place) throws(ConfigurationProblem)
        -> MemoryResources
    {
        var checked = MemoryResources()
        checked.limit = try amount(memory.limit, at: place.member("limit"))
        checked.reservation = try amount(memory.reservation, at: place.member("reservation"))
        checked.swap = try amount(memory.swap, at: place.member("swap"))
        checked.kernel = try amount(memory.kernel, at: place.member("kernel"))
        checked.kernelTCP = try amount(memory.kernelTCP, at: place.member("kernelTCP"))
        if let swappiness = memory.swappiness {
            checked.swappiness = try place.member("swappiness").number(swappiness, in: 0...100)
        }
        checked.disableOOMKiller = memory.disableOOMKiller
        checked.useHierarchy = memory.useHierarchy
        checked.checkBeforeUpdate = memory.checkBeforeUpdate ?? false
        if let swap = checked.swap, swap != -1 {
            guard let limit = checked.limit, limit != -1 else {
                throw place.member("swap").problem(
                    "unable to set swap limit without memory limit; expected linux.resources.memory.limit with it"
                )
            }
            guard swap >= limit else {
                throw place.member("swap").problem(
                    "memory+swap limit must be >= memory limit, found \(swap) with a limit of \(limit)"
                )
            }
        }
        return checked
    }

    /// Returns a number of bytes or microseconds: -1 is no limit, zero is none asked for.
    private static func amount(_ amount: Int64?, at place: Place) throws(ConfigurationProblem) -> Int64? {
        guard let amount, amount != 0 else { return nil }
        guard amount >= -1 else { throw place.expected("-1 or a number from 0", found: "\(amount)") }
        return amount
    }

    private static func nonZero(_ number: UInt64?) -> UInt64? { number == 0 ? nil : number }

    // MARK: - CPU

    /// The kernel's bounds of a CFS period, in microseconds; a quota has the same lower bound.
    private static let periods: ClosedRange<UInt64> = 1_000...1_000_000

    private static func cpu(_ cpu: OCISpec.CPUResources, at place: Place) throws(ConfigurationProblem) -> CPUResources {
        var checked = CPUResources()
        checked.shares = nonZero(cpu.shares)
        checked.quota = try amount(cpu.quota, at: place.member("quota"))
        if let quota = checked.quota, quota != -1, quota < 1_000 {
            throw place.member("quota").expected("-1 or a number from 1000", found: "\(quota)")
        }
        if let period = nonZero(cpu.period) { checked.period = try place.member("period").number(period, in: periods) }
        checked.burst = cpu.burst
        if let burst = cpu.burst, let quota = checked.quota, quota != -1 {
            _ = try place.member("burst").number(burst, in: 0...UInt64(quota))
        }
        checked.realtimeRuntime = try amount(cpu.realtimeRuntime, at: place.member("realtimeRuntime"))
        checked.realtimePeriod = nonZero(cpu.realtimePeriod)
        if let runtime = checked.realtimeRuntime, let period = checked.realtimePeriod, runtime > 0, runtime > period {
            throw place.member("realtimeRuntime").expected("at most the realtimePeriod, \(period)", found: "\(runtime)")
        }
        checked.cpus = try cpuset(cpu.cpus, at: place.member("cpus"))
        checked.mems = try cpuset(cpu.mems, at: place.member("mems"))
        if let idle = cpu.idle { checked.idle = try place.member("idle").number(idle, in: 0...1) }
        return checked
    }

    private static func cpuset(_ text: String?, at place: Place) throws(ConfigurationProblem) -> String? {
        try numberList(text, at: place) == nil ? nil : text
    }
}
