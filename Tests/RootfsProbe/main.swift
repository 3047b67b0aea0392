// A container without a runtime: makes namespaces, plans and builds a root filesystem from its arguments, and runs a
// shell script in it. Started by RootfsTests, because a test process must not change its own namespaces or root.
//
//   RootfsProbe --rootfs DIR [--user] [--share NAMESPACE]... [--mount KIND,DEST,SOURCE,OPTION...]...
//               [--device PATH,c|b|p,MAJOR,MINOR,MODE,UID,GID]... [--mask PATH]... [--readonly-path PATH]...
//               [--readonly] [--propagation P] [--no-pivot] [--console] [--cgroup VERSION,NAME,DIR,LINK...]...
//               [--unified] [--own-cgroup-namespace] [--plan] [--deny NUMBER]
//               [--ordinary-user] [--locked-source DIR] [--as UID] [--label LABEL] [SCRIPT]

import Configuration
import Diagnostics
import Glibc
import KernelTypes
import LinuxSystem
import Rootfs

do throws(Failure) {
    let request = ProbeRequest(arguments: Array(CommandLine.arguments.dropFirst()))
    if request.printsPlan {
        let steps =
            RootfsPlan.beforePivot(request.configuration, request.facts)
            + [RootfsPlan.pivot(request.configuration, noPivot: request.noPivot)]
            + RootfsPlan.afterPivot(request.configuration)
        for step in steps { print(step.name, step.detail) }
        exit(0)
    }
    exit(try runContainer(request))
} catch {
    report(error)
    exit(1)
}

/// Builds the root filesystem in new namespaces and runs the script there; returns its exit code.
func runContainer(_ request: ProbeRequest) throws(Failure) -> CInt {
    if request.user != 0 {
        try attempt("become user \(request.user)", .setresuid) { () throws(Errno) in
            try Credentials.setSupplementaryGroups([])
            try Credentials.setGroup(request.user)
            try Credentials.setUser(request.user)
            try Processes.setDumpable(true)
        }
    }
    if let path = request.lockedSource {
        try attempt("mount a read-only tmpfs on \(path)", .mount) { () throws(Errno) in
            try Namespaces.unshare(.mount)
            try MountAPI.legacyMount(target: "/", flags: [.private, .recursive])
            try MountAPI.legacyMount(source: "t", target: path, type: "tmpfs", flags: [.readOnly, .noSetID])
        }
    }
    var sources = try MountSources(opening: RootfsPlan.sources(request.configuration, request.facts))
    let gate = try attempt("make a pipe", .pipe2) { () throws(Errno) in try LinuxSystem.Pipe() }
    let child = try attempt("clone", .clone3) { () throws(Errno) in
        try Processes.clone(namespaces: request.configuration.namespaces.created) {
            do throws(Failure) {
                _ = try? gate.reader.read(upTo: 1)
                try buildAndRun(request, sources.takeAll())
            } catch {
                report(error)
                exit(1)
            }
        }
    }
    if request.configuration.namespaces.creates(.user) {
        let deny = request.user == 0 ? [] : [("setgroups", "deny")]
        for (file, map) in deny + [("uid_map", request.uidMap), ("gid_map", request.gidMap)] {
            let fd = open("/proc/\(child.pid)/\(file)", O_WRONLY)
            guard write(fd, map, map.utf8.count) > 0 else { throw Failure("write \(file): \(errno)") }
            close(fd)
        }
    }
    try attempt("open the gate", .write) { () throws(Errno) in try gate.writer.write("x") }
    return try attempt("wait", .waitid) { () throws(Errno) in
        try Processes.reap(pidfd: child.pidfd.borrowed).shellCode
    }
}

func buildAndRun(_ request: ProbeRequest, _ sources: consuming MountSources) throws(Failure) -> Never {
    if let denied = request.denied { try deny(denied) }
    if request.ownCgroupNamespace {
        try attempt("unshare", .unshare) { () throws(Errno) in try Namespaces.unshare(.cgroup) }
    }
    if request.configuration.namespaces.creates(.user) {
        try attempt("become root of the namespace", .setresuid) { () throws(Errno) in
            try Credentials.setGroup(0)
            try Credentials.setUser(0)
        }
    }
    var executor = try RootfsExecutor(
        rootPath: request.configuration.root.path,
        sources: sources,
        cgroups: request.cgroups
    )
    let before = openDescriptors()
    for step in RootfsPlan.beforePivot(request.configuration, request.facts) { try executor.perform(step) }
    let held = openDescriptors() - before
    try executor.perform(RootfsPlan.pivot(request.configuration, noPivot: request.noPivot))
    if request.console {
        let console = try executor.makeConsole(owner: 0, size: TerminalSize(rows: 33, columns: 77))
        print("console primary is terminal: \(isatty(console.primary.rawValue) == 1)")
        for fd: CInt in 0...2 where fd != 1 { _ = dup2(console.peer.rawValue, fd) }
    }
    for step in RootfsPlan.afterPivot(request.configuration) { try executor.perform(step) }
    print("descriptors held: \(held)")
    fflush(nil)
    // The strings live as long as this process's image.
    let words: [UnsafePointer<CChar>?] = ["/bin/busybox", "sh", "-c", request.script].map { (word: String) in
        UnsafePointer(strdup(word))
    }
    throw Failure(
        "execute /bin/busybox",
        .execve,
        Processes.execute(words[0] ?? UnsafePointer(strdup("")), words + [nil], [nil])
    )
}

func report(_ failure: Failure) {
    try? BorrowedFD.standardError.write("\(failure.line)\n\(failure.advice.map { "hint: \($0)\n" } ?? "")")
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (0..<256).count { fcntl(CInt($0), F_GETFD) >= 0 }
}

/// Makes the kernel answer a system call as if it did not know it.
func deny(_ number: Int) throws(Failure) {
    let program: [(UInt16, UInt8, UInt8, UInt32)] = [
        (0x20, 0, 0, 0), (0x15, 0, 1, UInt32(number)), (0x06, 0, 0, 0x5_0000 | UInt32(ENOSYS)),
        (0x06, 0, 0, 0x7fff_0000),
    ]
    let bytes = program.flatMap { code, yes, no, value in
        withUnsafeBytes(of: code.littleEndian, Array.init) + [yes, no]
            + withUnsafeBytes(of: value.littleEndian, Array.init)
    }
    _ = try attempt("deny a call", .seccomp) { () throws(Errno) in try Seccomp.install(bytes, flags: 0) }
}
