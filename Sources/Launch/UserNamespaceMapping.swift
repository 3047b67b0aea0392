// Giving a new user namespace its ids; see user_namespaces(7). Done by the runtime, which has the powers for it, or by
// newuidmap(1) and newgidmap(1), which have them when the runtime has not.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

/// Writing `uid_map` and `gid_map`.
enum UserNamespaceMapping {
    static func write(
        uid uidMappings: [IDMapping],
        gid gidMappings: [IDMapping],
        ofProcess pid: Int32,
        facts: HostFacts
    ) throws(Failure) {
        if facts.effectiveUserID == 0 {
            do throws(Failure) {
                try write(uidMappings, to: "uid_map", ofProcess: pid)
                try write(gidMappings, to: "gid_map", ofProcess: pid)
                return
            } catch  where facts.isInUserNamespace && error.errno == .EPERM {
                // A root without the powers, as in a sandbox: the helpers may have them.
            }
        }
        if mapsOnlySelf(uidMappings, facts.effectiveUserID) {
            try write(uidMappings, to: "uid_map", ofProcess: pid)
        } else {
            try runHelper("newuidmap", uidMappings, ofProcess: pid)
        }
        if mapsOnlySelf(gidMappings, facts.effectiveGroupID) {
            // The kernel lets an ordinary user map its group only when the namespace gives up setgroups.
            try write("deny", to: "setgroups", ofProcess: pid)
            try write(gidMappings, to: "gid_map", ofProcess: pid)
        } else {
            try runHelper("newgidmap", gidMappings, ofProcess: pid)
        }
    }

    private static func mapsOnlySelf(_ mappings: [IDMapping], _ id: UInt32) -> Bool {
        mappings.count == 1 && mappings[0].hostID == id && mappings[0].size == 1
    }

    private static func write(_ mappings: [IDMapping], to file: String, ofProcess pid: Int32) throws(Failure) {
        let text = mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
        try write(text, to: file, ofProcess: pid)
    }

    private static func write(_ text: String, to file: String, ofProcess pid: Int32) throws(Failure) {
        let path = "/proc/\(pid)/\(file)"
        let wanted = text.split(separator: "\n").joined(separator: ", ")
        try attempt("write \(path)", .write, detail: wanted) { () throws(Errno) in
            try BorrowedFD.workingDirectory.setContents(of: path, to: Array(text.utf8))
        }
    }

    private static func runHelper(_ name: String, _ mappings: [IDMapping], ofProcess pid: Int32) throws(Failure) {
        let numbers = mappings.flatMap { ["\($0.containerID)", "\($0.hostID)", "\($0.size)"] }
        let directories = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"]
        guard let path = directories.map({ "\($0)/\(name)" }).first(where: { isExecutable($0) }) else {
            throw Failure(
                "map more than its own id as an ordinary user: \(name) is not installed",
                .notFound,
                subject: name,
                hint: "install the package that brings \(name) (uidmap), or map one id"
            )
        }
        let outcome = try HostProgram.run(
            path,
            arguments: [name, "\(pid)"] + numbers,
            environment: HostProgram.inheritedEnvironment,
            input: [],
            timeoutSeconds: 30
        )
        guard outcome.status == .exited(0) else {
            throw Failure(
                "\(name) refused the mapping \(numbers.joined(separator: " ")): \(outcome.text)",
                .notPermitted,
                subject: name
            )
        }
    }

    private static func isExecutable(_ path: String) -> Bool {
        (try? BorrowedFD.workingDirectory.checkExecutable(path)) != nil
    }
}
