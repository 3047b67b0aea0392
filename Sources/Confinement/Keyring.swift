// The session keyring: without one of its own, a container would find the keys of whoever started it. Called by
// ConfinementPerformer.swift in init. See session-keyring(7).

internal import Diagnostics
internal import LinuxSystem

enum SessionKeyring {
    /// Joins a keyring of that name, and lets root of the container search it.
    static func join(_ name: String, _ search: ConfinementStep.KeySearch) throws(Failure) {
        let key: CInt
        do throws(Errno) {
            key = try Keyrings.joinSession(named: name)
        } catch .ENOSYS {
            // A kernel without keys has none to inherit.
            return
        } catch {
            throw Failure("join the session keyring \(name)", .keyctl, error)
        }
        try attempt("make the session keyring \(name) searchable", .keyctl) { () throws(Errno) in
            let present = try permissions(inDescription: try Keyrings.describe(key))
            // Bits of keyctl_setperm(3): KEY_USR_SEARCH and KEY_OTH_SEARCH.
            try Keyrings.setPermissions(key, present | (search == .owner ? 0x8_0000 : 0x8))
        }
    }

    /// The fourth field of `type;uid;gid;permissions;name`, hexadecimal.
    static func permissions(inDescription description: String) throws(Errno) -> UInt32 {
        let fields = description.parts(separatedBy: ";")
        guard fields.count >= 5, let permissions = UInt32(fields[3], radix: 16) else { throw .EINVAL }
        return permissions
    }
}
