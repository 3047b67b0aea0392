// Who the process is and what it may do: groups, ids, capability sets. Called by ConfinementPerformer.swift in init,
// possibly under a seccomp filter: nothing here allocates unless it fails.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

enum UserIdentity {
    /// Gives the open files behind 0, 1 and 2 to the user, so that it can reopen `/dev/stdout`.
    static func ownStandardStreams(_ uid: UInt32) throws(Failure) {
        for number: CInt in 0...2 {
            let stream = BorrowedFD(rawValue: number)
            do throws(Errno) {
                let facts = try stream.facts()
                // /dev/null is everybody's; changing its owner would change the host's node.
                let isNull = facts.kind == .character && facts.deviceMajor == 1 && facts.deviceMinor == 3
                if isNull || facts.uid == uid { continue }
                try stream.changeOwner(uid: uid, gid: .max)
            } catch .EBADF {
                // Closed: nothing to give.
            } catch .EPERM {
                // Not ours to give, as without root; the stream still works as it is.
            } catch .EINVAL {
                // The stream's file system does not map the id.
            } catch .EROFS {
                // The stream's file cannot change owner.
            } catch {
                throw Failure("make descriptor \(number) belong to process.user.uid \(uid)", .chown, error)
            }
        }
    }

    static func setGroups(_ groups: [UInt32], _ denial: ConfinementStep.GroupDenial) throws(Failure) {
        do throws(Errno) {
            try Credentials.setSupplementaryGroups(groups)
        } catch .EPERM where denial == .tolerated {
            return
        } catch {
            throw Failure("set the supplementary groups of process.user.additionalGids", .setgroups, error)
        }
    }

    static func setGroup(_ gid: UInt32) throws(Failure) {
        do throws(Errno) {
            try Credentials.setGroup(gid)
        } catch {
            throw Failure("become group \(gid) of process.user.gid", .setresgid, error, hint: mappingHint(error))
        }
    }

    static func setUser(_ uid: UInt32) throws(Failure) {
        do throws(Errno) {
            try Credentials.setUser(uid)
        } catch {
            throw Failure("become user \(uid) of process.user.uid", .setresuid, error, hint: mappingHint(error))
        }
    }

    private static func mappingHint(_ errno: Errno) -> String? {
        guard errno == .EINVAL else { return nil }
        return "the id has no mapping in the container's user namespace: see linux.uidMappings and linux.gidMappings"
    }

    static func dropBounding(_ set: CapabilitySet) throws(Failure) {
        for number in 0..<UInt8(64) where set.rawValue & (1 << UInt64(number)) != 0 {
            try attempt(
                "drop \(CapabilitySet(rawValue: 1 << UInt64(number)).confinementText), which "
                    + "process.capabilities.bounding lacks, from the bounding set",
                .prctl
            ) { () throws(Errno) in
                try Credentials.dropBounding(number)
            }
        }
    }

    static func keepCapabilities(_ keep: Bool) throws(Failure) {
        try attempt("keep capabilities across the change to process.user", .prctl) { () throws(Errno) in
            try Credentials.setKeepCapabilities(keep)
        }
    }

    static func setCapabilities(
        _ effective: CapabilitySet,
        _ permitted: CapabilitySet,
        _ inheritable: CapabilitySet
    ) throws(Failure) {
        try attempt("set the capability sets of process.capabilities", .capset) { () throws(Errno) in
            try Credentials.setCapabilities(
                effective: effective.rawValue,
                permitted: permitted.rawValue,
                inheritable: inheritable.rawValue
            )
        }
    }

    static func setAmbient(_ set: CapabilitySet) throws(Failure) {
        try attempt("clear the ambient capability set", .prctl) { () throws(Errno) in
            try Credentials.clearAmbient()
        }
        for number in 0..<UInt8(64) where set.rawValue & (1 << UInt64(number)) != 0 {
            try attempt(
                "raise \(CapabilitySet(rawValue: 1 << UInt64(number)).confinementText) of process.capabilities.ambient",
                .prctl
            ) { () throws(Errno) in
                try Credentials.raiseAmbient(number)
            }
        }
    }
}
