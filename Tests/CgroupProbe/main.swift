// Does for CgroupsTests what a test process must not do itself: enters cgroups, makes children, mounts hierarchies in
// a mount namespace of its own. The first argument names the act; results go to standard output.
//
//   enter PLACE...            enter the cgroups, use a mebibyte, say so, and stay until killed
//   born PLACE...             the same in a child that is born in the v2 cgroup
//   threads PLACE...          enter, and stay with a second thread
//   spawn COUNT PLACE...      enter, start COUNT children one below the other, and stay
//   devices PLACE...          enter, and say which devices can be opened
//   network ID                net_cls and net_prio as v1, below a directory of its own
//   rootless ID               become nobody; make, enter and limit cgroups that may not be made
//   unified ID                limits of every kind on a machine that has only v2; print what the kernel has
//   time COUNT ID             make, limit, enter and remove COUNT times; print microseconds
//
// PLACE is `hierarchy=mountPoint=path`.

import Cgroups
import Configuration
import Diagnostics
import Glibc
import KernelTypes
import LinuxSystem

func say(_ text: String) {
    try? BorrowedFD.standardOutput.write(text + "\n")
}

func placement(_ arguments: ArraySlice<String>) -> CgroupPlacement {
    let locations = arguments.map { argument in
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        // `name=systemd` has a sign of its own.
        let hierarchy = parts.dropLast(2).joined(separator: "=")
        return CgroupLocation(hierarchy: hierarchy, mountPoint: parts[parts.count - 2], path: parts[parts.count - 1])
    }
    let isPureUnified = locations.allSatisfy(\.isUnified)
    return CgroupPlacement(mode: isPureUnified ? .unified : .hybrid, locations: locations, isRootless: false)
}

func stay() -> Never {
    while true { pause() }
}

func enter(_ arguments: ArraySlice<String>) throws(Failure) {
    let join = try placement(arguments).makeManager().openJoin(subgroups: [])
    try join.enter(bornInUnified: false)
}

func born(_ arguments: ArraySlice<String>) throws(Failure) {
    let join = try placement(arguments).makeManager().openJoin(subgroups: [])
    let birthplace = join.birthplace
    let child = try attempt("clone", .clone3) { () throws(Errno) in
        try Processes.clone(cgroup: birthplace) {
            do throws(Failure) {
                try join.enter(bornInUnified: birthplace != nil)
                say("entered \(Processes.currentID)")
            } catch {
                say(error.line)
            }
            stay()
        }
    }
    _ = try? Processes.reap(pidfd: child.pidfd.borrowed)
}

/// A second thread, which says the number of the process.
func addThread() {
    var thread = pthread_t()
    pthread_create(
        &thread,
        nil,
        { _ in
            say("a second thread of \(Processes.currentID)")
            while true { pause() }
        },
        nil
    )
}

func spawn(_ count: Int) {
    for _ in 0..<count where fork() != 0 {
        stay()
    }
    say("entered \(Processes.currentID)")
}

func devices() {
    for path in ["/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/kmsg"] {
        for (letter, flags) in [("r", OpenFlags.readOnly), ("w", .writeOnly)] {
            let isOpen = (try? BorrowedFD.workingDirectory.open(path, flags)) != nil
            say("\(path) \(letter) \(isOpen ? "yes" : "no")")
        }
    }
}

/// Whether a controller is in some hierarchy of v1.
func isMounted(_ controller: String) -> Bool {
    guard let file = try? BorrowedFD.workingDirectory.open("/proc/cgroups", .readOnly),
        let bytes = try? file.borrowed.readToEnd(limit: 65_536)
    else { return false }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: "\t") }
    return lines.contains { $0.count == 4 && $0[0] == controller && $0[1] != "0" }
}

func network(_ id: String) throws(Failure) {
    let point = "/tmp/\(id)"
    mkdir(point, 0o755)
    defer { rmdir(point) }
    guard (try? Namespaces.unshare(.mount)) != nil, mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
        mount("cgroup", point, "cgroup", 0, "net_cls,net_prio") == 0
    else {
        return say("mount: \(errno)")
    }
    // A hierarchy outlives its last mount for as long as a removed cgroup is dying: then it must be mounted once more.
    defer {
        umount2(point, 0)
        for turn in 1...500 where isMounted("net_cls") {
            usleep(20_000)
            if turn % 25 == 0 {
                mount("cgroup", point, "cgroup", 0, "net_cls,net_prio")
                umount2(point, 0)
            }
        }
    }
    var resources = ResourceConfiguration()
    resources.network.classID = 1_048_577
    resources.network.priorities = [NetworkResources.Priority(interface: "lo", priority: 5)]
    let placement = try CgroupPlacement.plan(cgroupsPath: "/\(id)", id: id, resources: resources, isRootless: false)
    let manager = placement.makeManager()
    try manager.create()
    defer { try? manager.remove(deadline: Machine.monotonicNanoseconds() + 5_000_000_000) }
    try manager.apply(resources)
    for file in ["net_cls.classid", "net_prio.ifpriomap"] {
        guard let fd = try? BorrowedFD.workingDirectory.open("\(point)/\(id)/\(file)", .readOnly),
            let bytes = try? fd.borrowed.readToEnd(limit: 65_536)
        else { continue }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        say("\(file): \(lines.first { $0.hasPrefix("lo ") } ?? lines.first ?? "")")
    }
}

/// What is left of cgroups for a user who may not make any.
func rootless(_ id: String) throws(Failure) {
    setgid(65_534)
    setuid(65_534)
    var resources = ResourceConfiguration()
    let placement = try CgroupPlacement.plan(cgroupsPath: nil, id: id, resources: resources, isRootless: true)
    let manager = placement.makeManager()
    try manager.create()
    try manager.apply(resources)
    try manager.openJoin(subgroups: []).enter(bornInUnified: false)
    say("created \(try manager.processes().count)")
    try manager.remove(deadline: 0)
    resources.pidsLimit = 5
    try manager.apply(resources)
}

/// For a machine with all controllers on v2: limits of every kind below two new parents, and what the kernel made of
/// them.
func unified(_ id: String) throws(Failure) {
    var resources = ResourceConfiguration()
    resources.memory.limit = 67_108_864
    resources.memory.swap = 134_217_728
    resources.memory.reservation = 33_554_432
    resources.cpu.shares = 2048
    resources.cpu.period = 50_000
    resources.cpu.quota = 25_000
    resources.cpu.burst = 10_000
    resources.pidsLimit = 7
    resources.blockIO.weight = 500
    resources.unified = [UnifiedSetting(file: "memory.high", value: "50331648")]
    let path = "/\(id)/middle/leaf"
    let placement = try CgroupPlacement.plan(cgroupsPath: path, id: id, resources: resources, isRootless: false)
    let manager = placement.makeManager()
    try manager.create()
    for change in ["all", "blockIO", "idle", "hugepages"] {
        do throws(Failure) {
            try manager.apply(resources)
            say("\(change): done")
        } catch {
            say("\(change): \(error.line)")
        }
        resources = ResourceConfiguration()
        resources.blockIO.weight = change == "all" ? 500 : nil
        resources.cpu.idle = change == "blockIO" ? 1 : nil
        resources.hugepages = change == "idle" ? [HugepageLimit(pageSize: "2MB", limit: 2_097_152)] : []
    }
    let files = [
        "memory.max", "memory.swap.max", "memory.low", "memory.high", "cpu.weight", "cpu.max", "cpu.max.burst",
    ]
    for file in files + ["cpu.idle", "pids.max", "io.weight", "io.bfq.weight", "hugetlb.2MB.max", "cgroup.controllers"]
    {
        guard let place = placement.locations.first,
            let fd = try? BorrowedFD.workingDirectory.open("\(place.directory)/\(file)", .readOnly),
            let bytes = try? fd.borrowed.readToEnd(limit: 65_536)
        else { continue }
        say("\(file): \(String(decoding: bytes, as: UTF8.self).replacing("\n", with: " "))")
    }
    try manager.killAll(deadline: Machine.monotonicNanoseconds() + 5_000_000_000)
    try manager.remove(deadline: Machine.monotonicNanoseconds() + 5_000_000_000)
}

func time(_ count: Int, _ id: String) throws(Failure) {
    let phases = ["plan", "create", "apply", "open", "clone+enter+exit", "remove", "all"]
    var samples = phases.map { _ in [Int64]() }
    var resources = ResourceConfiguration()
    resources.devices = [DeviceRule(allow: false, kind: .all, major: nil, minor: nil, access: .everything)]
    for _ in 0..<count {
        var marks = [Machine.monotonicNanoseconds()]
        func mark() { marks.append(Machine.monotonicNanoseconds()) }
        let placement = try CgroupPlacement.plan(cgroupsPath: nil, id: id, resources: resources, isRootless: false)
        mark()
        let manager = placement.makeManager()
        try manager.create()
        mark()
        try manager.apply(resources)
        mark()
        let join = try manager.openJoin(subgroups: [])
        mark()
        let birthplace = join.birthplace
        let child = try attempt("clone", .clone3) { () throws(Errno) in
            try Processes.clone(cgroup: birthplace) {
                do throws(Failure) {
                    try join.enter(bornInUnified: birthplace != nil)
                } catch {
                    say(error.line)
                }
                Processes.exit(0)
            }
        }
        _ = try? Processes.reap(pidfd: child.pidfd.borrowed)
        mark()
        try manager.remove(deadline: Machine.monotonicNanoseconds() + 5_000_000_000)
        mark()
        for index in 0..<6 { samples[index].append(marks[index + 1] - marks[index]) }
        samples[6].append(marks[6] - marks[0])
    }
    for (phase, values) in zip(phases, samples) {
        let sorted = values.sorted()
        say("\(phase): min \(sorted[0] / 1000) median \(sorted[sorted.count / 2] / 1000) us")
    }
}

do throws(Failure) {
    let arguments = CommandLine.arguments.dropFirst(2)
    switch CommandLine.arguments.dropFirst().first {
    case "enter":
        try enter(arguments)
        let used = [UInt8](repeating: 1, count: 1 << 20)
        say("entered \(Processes.currentID)")
        withExtendedLifetime(used, stay)
    case "threads":
        try enter(arguments)
        addThread()
        stay()
    case "born":
        try born(arguments)
    case "spawn":
        try enter(arguments.dropFirst())
        spawn(Int(arguments.first ?? "") ?? 1)
        stay()
    case "devices":
        try enter(arguments)
        devices()
    case "network":
        try network(arguments.first ?? "apus-network")
    case "rootless":
        try rootless(arguments.first ?? "apus-rootless")
    case "unified":
        try unified(arguments.first ?? "apus-unified")
    case "time":
        try time(Int(arguments.first ?? "") ?? 100, arguments.dropFirst().first ?? "apus-time")
    default:
        say("unknown act")
        exit(2)
    }
} catch {
    say(error.line + (error.advice.map { " (\($0))" } ?? ""))
    exit(1)
}
