// Cgroups of v1 and of hybrid machines: one directory in every mounted hierarchy, and on a hybrid machine one in the
// v2 hierarchy, which has no controllers but can kill and tell of the last exit. Called through CgroupManager.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// The manager for cgroup v1.
final class LegacyDriver: ScopeFiles {
    /// The container's cgroup in one hierarchy.
    final class Member {
        let location: CgroupLocation
        /// Open once it was made or found.
        var directory: CgroupDirectory?
        /// What it is in; open where this process made it, so that it need not be looked for to remove it.
        var parent: CgroupDirectory?
        /// Whether this process made it.
        var isMade = false
        /// Whether this process made it and wrote no device rule yet.
        var isFresh = false
        /// Why a rootless runtime has no cgroup here.
        var denial: Failure?

        init(_ location: CgroupLocation) {
            self.location = location
        }

        /// The cgroup; `nil` when it does not exist.
        func open() throws(Failure) -> CgroupDirectory? {
            if directory == nil { directory = try CgroupDirectory.open(location) }
            return directory
        }
    }

    let placement: CgroupPlacement
    let members: [Member]

    init(_ placement: CgroupPlacement) {
        self.placement = placement
        members = placement.locations.map(Member.init)
    }

    func member(_ controller: String) -> Member? {
        members.first { $0.location.carries(controller) }
    }

    var unified: Member? { members.first { $0.location.isUnified } }

    // MARK: Making

    func create() throws(Failure) {
        try create(members.filter { $0.directory == nil }, isShared: false)
    }

    func createBirthplace() throws(Failure) -> CgroupJoin {
        var join = CgroupJoin()
        if let unified {
            try create([unified], isShared: false)
            if let directory = unified.directory { try join.add(directory) }
        }
        return join
    }

    /// systemd has made the cgroups of the controllers that it knows, and put the process there; the others are made as
    /// usual, and the process is moved.
    func adopt(_ process: CInt, _ memberships: [CgroupMembership], _ resources: ResourceConfiguration) throws(Failure) {
        try create(members, isShared: true)
        for member in members where member.denial == nil {
            let place = member.location
            let present = memberships.first { $0.hierarchy == place.hierarchy }?.path
            guard present != "/\(place.path)", let directory = try member.open() else { continue }
            try attempt("move process \(process) to the cgroup \(place.directory)", .write) { () throws(Errno) in
                try directory.write("\(process)", to: "cgroup.procs")
            }
        }
    }

    /// - Parameter isShared: Whether somebody else may have made some, with processes in them.
    private func create(_ members: [Member], isShared: Bool) throws(Failure) {
        var made: [CgroupLocation] = []
        do throws(Failure) {
            for member in members {
                try make(member, isShared: isShared, &made)
            }
        } catch {
            for location in made.reversed() {
                guard let (parent, name) = try? CgroupDirectory.openParent(of: location) else { continue }
                try? parent.removeChild(name)
            }
            throw error
        }
    }

    private func make(_ member: Member, isShared: Bool, _ made: inout [CgroupLocation]) throws(Failure) {
        let needsCpuset = member.location.carries("cpuset")
        do throws(Failure) {
            let result = try CgroupDirectory.make(member.location) { parent throws(Failure) in
                made.append(parent.location)
                if needsCpuset { try Self.inheritCpuset(parent) }
            }
            if result.isNew { made.append(member.location) }
            if needsCpuset { try Self.inheritCpuset(result.directory, from: result.parent, isNew: result.isNew) }
            if !result.isNew && !isShared { try result.directory.checkFitness() }
            member.directory = result.directory
            member.parent = result.parent
            member.isMade = result.isNew
            member.isFresh = result.isNew
        } catch {
            guard placement.isRootless, error.errno?.isDenial == true else { throw error }
            member.denial = error
        }
    }

    /// A v1 cpuset is born without processors and memory nodes, and nothing can join it like that.
    private static func inheritCpuset(
        _ directory: CgroupDirectory,
        from known: CgroupDirectory? = nil,
        isNew: Bool = true
    ) throws(Failure) {
        var parent = known
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if !isNew, let own = try directory.readIfPresent(file), !own.isEmpty { continue }
            if parent == nil {
                parent = try CgroupDirectory.openParent(of: directory.location)?.parent
            }
            guard let parent else { return }
            var value = try parent.readIfPresent(file) ?? ""
            if value.isEmpty && !parent.location.path.isEmpty {
                try inheritCpuset(parent, isNew: false)
                value = try parent.readIfPresent(file) ?? ""
            }
            let place = directory.location.directory
            try attempt("give the cgroup \(place) its parent's \(file)", .write) { () throws(Errno) in
                try directory.write(value, to: file)
            }
        }
    }

    // MARK: Limits

    func apply(_ resources: ResourceConfiguration) throws(Failure) {
        try CgroupWrite.perform(try ResourceTranslation.legacy(resources)) { write throws(Failure) in
            try directory(for: write)
        }
        try applyDevices(resources.devices)
    }

    func directory(for write: CgroupWrite) throws(Failure) -> CgroupDirectory {
        let request = "set \(write.key) to \(write.choices.first?.value ?? "")"
        guard let member = member(write.controller) else {
            throw Failure(
                "\(request): the cgroup controller \(write.controller) is not mounted",
                .unsupported,
                subject: write.key
            )
        }
        if let denial = member.denial {
            throw denial.prefixed(request)
        }
        guard let directory = try member.open() else {
            throw Failure("\(request): the cgroup \(member.location.directory) does not exist")
        }
        return directory
    }

    /// Device rules need the machine's root; a rootless container has no right to any device that they could forbid.
    private func applyDevices(_ rules: [DeviceRule]) throws(Failure) {
        let request = "set linux.resources.devices"
        guard let member = member("devices") else {
            if placement.isRootless { return }
            throw Failure("\(request): the cgroup controller devices is not mounted", .unsupported)
        }
        if member.denial != nil { return }
        guard let directory = try member.open() else {
            throw Failure("\(request): the cgroup \(member.location.directory) does not exist")
        }
        let present = member.isFresh ? nil : DeviceAccess.parse(list: try directory.readIfPresent("devices.list") ?? "")
        let writes = try DeviceAccess(rules: rules).writes(from: present)
        do throws(Failure) {
            try CgroupWrite.perform(writes) { _ in directory }
            member.isFresh = false
        } catch {
            guard placement.isRootless, error.errno?.isDenial == true else { throw error }
        }
    }

    // MARK: Entering

    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin {
        var join = CgroupJoin()
        for member in members where member.denial == nil {
            let subgroup =
                subgroups.first { $0.controllers.contains(where: member.location.carries) }
                ?? subgroups.first { $0.controllers.isEmpty }
            let path = CgroupPlacement.components(of: subgroup?.path ?? "").text(separatedBy: "/")
            if try open(member, below: path, &join) || placement.isRootless { continue }
            throw Failure("the cgroup \(member.location.directory) does not exist")
        }
        return join
    }

    /// - Parameter path: Below the container's own cgroup; empty for that itself.
    /// - Returns: Whether the container's own is there.
    private func open(_ member: Member, below path: String, _ join: inout CgroupJoin) throws(Failure) -> Bool {
        // Most of an exec's are neither open nor of further use.
        if path.isEmpty, member.directory == nil, !member.location.isUnified { return try join.add(member.location) }
        guard let own = try member.open() else { return false }
        guard let cgroup = try path.isEmpty ? own : own.descendant(path) else {
            throw Failure("the cgroup \(member.location.directory)/\(path) does not exist")
        }
        try join.add(cgroup)
        return true
    }
}
