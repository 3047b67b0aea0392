// What `events` prints, as JSON: one line an event. The names and their order are those that callers of runc read; units
// are nanoseconds and bytes.

internal import Cgroups
internal import JSON

/// The lines of `events`.
enum StatisticsDocument {
    /// `{"type":"oom","id":"web1"}`
    static func outOfMemory(id: String) -> String {
        let writer = JSONWriter()
        begin("oom", id, writer)
        writer.end()
        return line(writer)
    }

    /// `{"type":"stats","id":"web1","data":{...}}`
    static func line(id: String, _ statistics: CgroupStatistics, _ interfaces: [NetworkInterface]?) -> String {
        let writer = JSONWriter()
        begin("stats", id, writer)
        writer.object("data") {
            writer.object("cpu") { write(statistics.cpu, writer) }
            writer.object("cpuset") { write(statistics.cpuset, writer) }
            writer.object("memory") { write(statistics.memory, writer) }
            writer.object("pids") {
                writer.member("current", statistics.pids.current)
                writer.member("limit", statistics.pids.limit)
            }
            writer.object("blkio") { write(statistics.blockIO, writer) }
            writer.object("hugetlb") {
                for (size, counter) in statistics.hugepages {
                    writer.object(size) {
                        writer.member("usage", counter.usage)
                        writer.member("max", counter.peak)
                        writer.member("failcnt", counter.failures)
                    }
                }
            }
            writer.object("intel_rdt") {}
            write(interfaces, writer)
        }
        writer.end()
        return line(writer)
    }

    private static func begin(_ type: String, _ id: String, _ writer: JSONWriter) {
        writer.beginObject()
        writer.name("type")
        writer.string(type)
        writer.name("id")
        writer.string(id)
    }

    private static func line(_ writer: JSONWriter) -> String {
        String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func write(_ cpu: CgroupStatistics.CPU, _ writer: JSONWriter) {
        writer.object("usage") {
            writer.member("total", cpu.total)
            writer.member("percpu", cpu.perProcessor)
            writer.member("percpu_kernel", cpu.kernelPerProcessor)
            writer.member("percpu_user", cpu.userPerProcessor)
            writer.member("kernel", cpu.kernel)
            writer.member("user", cpu.user)
        }
        writer.object("throttling") {
            writer.member("periods", cpu.periods)
            writer.member("throttledPeriods", cpu.throttledPeriods)
            writer.member("throttledTime", cpu.throttledTime)
        }
        write(cpu.pressure, writer)
    }

    private static func write(_ cpuset: CgroupStatistics.Cpuset, _ writer: JSONWriter) {
        writer.member("cpus", cpuset.cpus)
        for name in CgroupStatistics.Cpuset.switchNames {
            // Between its fellows: the order that callers know.
            if name == "mem_hardwall" { writer.member("mems", cpuset.mems) }
            writer.member(name, cpuset.switches[name] ?? 0)
        }
    }

    private static func write(_ memory: CgroupStatistics.Memory, _ writer: JSONWriter) {
        writer.member("cache", memory.cache)
        let counters = [
            ("usage", memory.usage), ("swap", memory.swap), ("kernel", memory.kernel), ("kernelTCP", memory.kernelTCP),
        ]
        for (name, counter) in counters {
            writer.object(name) {
                writer.member("limit", counter.limit)
                writer.member("usage", counter.usage)
                writer.member("max", counter.peak)
                writer.member("failcnt", counter.failures)
            }
        }
        writer.object("raw") {
            for (name, value) in memory.raw { writer.member(name, value) }
        }
        write(memory.pressure, writer)
    }

    private static func write(_ blockIO: CgroupStatistics.BlockIO, _ writer: JSONWriter) {
        func entries(_ name: String, _ entries: [CgroupStatistics.BlockEntry]) {
            if entries.isEmpty { return }
            writer.name(name)
            writer.beginArray()
            for entry in entries {
                writer.beginObject()
                writer.member("major", entry.major)
                writer.member("minor", entry.minor)
                writer.name("op")
                writer.string(entry.operation)
                writer.member("value", entry.value)
                writer.end()
            }
            writer.end()
        }
        entries("ioServiceBytesRecursive", blockIO.bytes)
        entries("ioServicedRecursive", blockIO.operations)
        write(blockIO.pressure, writer)
    }

    private static func write(_ pressure: CgroupStatistics.Pressure?, _ writer: JSONWriter) {
        guard let pressure else { return }
        writer.object("psi") {
            for (name, line) in [("some", pressure.some), ("full", pressure.full)] {
                writer.object(name) {
                    writer.name("avg10")
                    writer.number(line.average10)
                    writer.name("avg60")
                    writer.number(line.average60)
                    writer.name("avg300")
                    writer.number(line.average300)
                    writer.member("total", line.total)
                }
            }
        }
    }

    private static func write(_ interfaces: [NetworkInterface]?, _ writer: JSONWriter) {
        writer.name("network_interfaces")
        guard let interfaces else { return writer.null() }
        writer.beginArray()
        for interface in interfaces {
            writer.beginObject()
            writer.name("Name")
            writer.string(interface.name)
            for (name, value) in zip(NetworkInterface.memberNames, interface.counts) { writer.member(name, value) }
            writer.end()
        }
        writer.end()
    }
}

extension JSONWriter {
    fileprivate func object(_ name: String, _ members: () -> Void) {
        self.name(name)
        beginObject()
        members()
        end()
    }

    fileprivate func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        integer(value)
    }

    /// Left out when it is empty.
    fileprivate func member(_ name: String, _ values: [some BinaryInteger]) {
        if values.isEmpty { return }
        self.name(name)
        beginArray()
        for value in values { integer(value) }
        end()
    }
}
