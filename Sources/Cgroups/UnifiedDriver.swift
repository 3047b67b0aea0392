// Cgroups of v2: one directory, with the controllers that its parents pass on. Called through CgroupManager.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// The manager for cgroup v2.
final class UnifiedDriver: ScopeFiles {
    let placement: CgroupPlacement
    private let location: CgroupLocation
    private var directory: CgroupDirectory?
    /// Whether this process made it.
    private var isMade = false
    /// Why a rootless runtime has no cgroup.
    private var denial: Failure?
    /// Why a parent does not pass on what it could.
    private var delegationFailure: Failure?

    /// - Parameter placement: With one location, of v2.
    init(_ placement: CgroupPlacement) {
        self.placement = placement
        location = placement.locations[0]
    }

    func open() throws(Failure) -> CgroupDirectory? {
        if directory == nil { directory = try CgroupDirectory.open(location) }
        return directory
    }

    func required(_ action: String) throws(Failure) -> CgroupDirectory {
        if let denial { throw denial.prefixed(action) }
        guard let directory = try open() else {
            throw Failure("\(action): the cgroup \(location.directory) does not exist")
        }
        return directory
    }

    // MARK: Making

    func create() throws(Failure) {
        var made: [CgroupLocation] = []
        do throws(Failure) {
            let components = location.path.parts(separatedBy: "/")
            for depth in 0..<components.count {
                if let parent = try make(components[..<depth].joined(separator: "/"), &made) {
                    try passOnControllers(of: parent)
                }
            }
            let count = made.count
            directory = try make(location.path, &made)
            isMade = made.count > count
            if let directory, !isMade { try directory.checkFitness() }
        } catch {
            directory = nil
            for location in made.reversed() {
                guard let (parent, name) = try? CgroupDirectory.openParent(of: location) else { continue }
                try? parent.removeChild(name)
            }
            guard placement.isRootless, error.errno?.isDenial == true else { throw error }
            denial = error
        }
    }

    func createBirthplace() throws(Failure) -> CgroupJoin {
        try create()
        return try openJoin(subgroups: [])
    }

    private func make(_ path: String, _ made: inout [CgroupLocation]) throws(Failure) -> CgroupDirectory? {
        let place = CgroupLocation(hierarchy: "", mountPoint: location.mountPoint, path: path)
        if path != location.path, let existing = try CgroupDirectory.open(place) { return existing }
        let result = try CgroupDirectory.make(place) { _ in }
        if result.isNew { made.append(place) }
        return result.directory
    }

    /// Enables for a cgroup's children whatever the cgroup itself has. What the kernel refuses matters only when a
    /// limit needs it.
    private func passOnControllers(of parent: CgroupDirectory) throws(Failure) {
        let available = (try parent.readIfPresent("cgroup.controllers") ?? "").split(separator: " ")
        let enabled = (try parent.readIfPresent("cgroup.subtree_control") ?? "").split(separator: " ")
        let missing = available.filter { !enabled.contains($0) }
        if missing.isEmpty { return }
        if (try? parent.write(missing.map { "+\($0)" }.joined(separator: " "), to: "cgroup.subtree_control")) != nil {
            return
        }
        // All or nothing did not work: as many as the kernel allows.
        for controller in missing {
            do throws(Errno) {
                try parent.write("+\(controller)", to: "cgroup.subtree_control")
            } catch {
                let action = "pass the controller \(controller) on in \(parent.location.directory)"
                delegationFailure = Failure(action, .write, error, detail: "cgroup.subtree_control")
            }
        }
    }

    // MARK: Made by systemd

    /// systemd passes on only the controllers that it knows; others are passed on when a limit needs them.
    func adopt(_ process: CInt, _ memberships: [CgroupMembership], _ resources: ResourceConfiguration) throws(Failure) {
        let needed = Set(try ResourceTranslation.unified(resources).map(\.controller)).subtracting([""])
        let own = try required("use the scope's cgroup")
        let offered = (try own.readIfPresent("cgroup.controllers") ?? "").split(separator: " ").map(String.init)
        if needed.isSubset(of: offered) { return }
        let components = location.path.parts(separatedBy: "/")
        for depth in 0..<components.count {
            let path = components[..<depth].joined(separator: "/")
            let place = CgroupLocation(hierarchy: "", mountPoint: location.mountPoint, path: path)
            if let parent = try CgroupDirectory.open(place) { try passOnControllers(of: parent) }
        }
    }

    func delegate(to uid: UInt32) throws(Failure) {
        let directory = try required("give the cgroup to the user \(uid)")
        let place = location.directory
        try attempt("give \(place) to the user \(uid)", .chown) { () throws(Errno) in
            try directory.descriptor.changeOwner(uid: uid, gid: .max)
        }
        for name in Self.delegatedFiles() where !name.utf8.contains(UInt8(ascii: "/")) {
            do throws(Errno) {
                try directory.descriptor.changeOwner(of: name, uid: uid, gid: .max)
            } catch .ENOENT {
                // Not every cgroup has every file.
                continue
            } catch {
                throw Failure("give \(place)/\(name) to the user \(uid)", .chown, error)
            }
        }
    }

    /// Names of the files that go with a directory; see cgroups(7), Cgroups delegation.
    private static func delegatedFiles() -> [String] {
        if let file = try? BorrowedFD.workingDirectory.open("/sys/kernel/cgroup/delegate", .readOnly),
            let bytes = try? file.borrowed.readToEnd(limit: 65_536)
        {
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        return ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
    }

    // MARK: Limits

    func apply(_ resources: ResourceConfiguration) throws(Failure) {
        for write in try ResourceTranslation.unified(resources) {
            try apply(write)
        }
        try applyDevices(resources.devices)
    }

    private func apply(_ write: CgroupWrite) throws(Failure) {
        let directory = try required(Self.request(write))
        do throws(Failure) {
            try CgroupWrite.perform([write]) { _ in directory }
        } catch {
            throw try explained(error, of: write, in: directory)
        }
    }

    private static func request(_ write: CgroupWrite) -> String {
        "set \(write.key) to \(write.choices.first?.value ?? "")"
    }

    /// A file may be missing only because nobody passed its controller on.
    func explained(
        _ failure: Failure,
        of write: CgroupWrite,
        in directory: CgroupDirectory
    ) throws(Failure) -> Failure {
        guard failure.errno == .ENOENT || failure.errno?.isDenial == true, !write.controller.isEmpty else {
            return failure
        }
        let offered = (try directory.readIfPresent("cgroup.controllers") ?? "").split(separator: " ")
        if offered.contains(where: { $0 == write.controller }) { return failure }
        let place = directory.location.directory
        return Failure(
            "\(Self.request(write)): the cgroup controller \(write.controller) is not available in \(place)",
            .unsupported,
            subject: write.key,
            hint: delegationFailure?.line
        )
    }

    /// Puts the new program in the place of the old one, so that there is no moment without rules.
    private func applyDevices(_ rules: [DeviceRule]) throws(Failure) {
        if denial != nil { return }
        let directory = try required("set linux.resources.devices")
        do throws(Failure) {
            try DevicePolicy.install(DeviceProgram(rules: rules), on: directory)
        } catch {
            // Without the machine's root there is no right to devices either.
            guard placement.isRootless, error.errno?.isDenial == true else { throw error }
        }
    }

    // MARK: Processes

    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin {
        var join = CgroupJoin()
        if denial != nil { return join }
        guard let own = try open() else {
            if placement.isRootless { return join }
            throw Failure("the cgroup \(location.directory) does not exist")
        }
        let path = CgroupPlacement.components(of: subgroups.first?.path ?? "").joined(separator: "/")
        guard let target = try path.isEmpty ? own : own.descendant(path) else {
            throw Failure("the cgroup \(location.directory)/\(path) does not exist")
        }
        try join.add(target)
        return join
    }

    func processes() throws(Failure) -> [CInt] {
        try open()?.processes() ?? []
    }

    func signalAll(_ number: CInt) throws(Failure) {
        try open()?.signalAll(number)
    }

    func killAll(deadline: Int64) throws(Failure) {
        guard let directory = try open() else { return }
        // A frozen v2 cgroup lets a fatal signal through.
        if try directory.killByFile() { return }
        try directory.killOneByOne(deadline: deadline) {}
    }

    func freeze(deadline: Int64) throws(Failure) {
        try required("freeze the container").freezeByFile(deadline: deadline)
    }

    func thaw() throws(Failure) {
        try open()?.setFrozen(false)
    }

    func thawToKill() throws(Failure) {}

    func isFrozen() throws(Failure) -> Bool {
        try open()?.readIfPresent("cgroup.freeze") == "1"
    }

    func statistics() throws(Failure) -> CgroupStatistics {
        try open().map { directory throws(Failure) in try CgroupStatistics(unified: directory) } ?? CgroupStatistics()
    }

    func watchMemory() throws(Failure) -> MemoryWatch? {
        try open().flatMap { directory throws(Failure) in try MemoryWatch.unified(directory) }
    }

    func oomKillCount() throws(Failure) -> UInt64? {
        try open()?.number("oom_kill", of: "memory.events")
    }

    func takeBack(deadline: Int64) throws(Failure) {
        if isMade { try remove(deadline: deadline) }
    }

    func remove(deadline: Int64) throws(Failure) {
        directory = nil
        try CgroupRemoval.remove(location, deadline: deadline) { () throws(Failure) in }
    }

    func removeIfUnused() throws(Failure) -> Bool {
        directory = nil
        return try CgroupRemoval.removeIfUnused(location)
    }
}
