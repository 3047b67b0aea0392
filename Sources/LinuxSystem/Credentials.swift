// User ids, groups and capability sets. The raw calls: this process has one thread.

internal import CLinux

/// Credential system calls.
package enum Credentials {
    /// Sets real, effective and saved user id. The corresponding system call is `setresuid(2)`.
    package static func setUser(_ uid: UInt32) throws(Errno) {
        try check(clinux_setresuid(uid, uid, uid))
    }

    /// Sets real, effective and saved group id. The corresponding system call is `setresgid(2)`.
    package static func setGroup(_ gid: UInt32) throws(Errno) {
        try check(clinux_setresgid(gid, gid, gid))
    }

    /// Replaces the supplementary groups. The corresponding system call is `setgroups(2)`.
    package static func setSupplementaryGroups(_ groups: [UInt32]) throws(Errno) {
        try check(unsafe clinux_setgroups(groups.count, groups))
    }

    /// How many supplementary groups there are. The corresponding system call is `getgroups(2)`.
    package static func supplementaryGroupCount() throws(Errno) -> Int {
        try check(clinux_getgroups(0, nil))
    }

    /// Effective, permitted and inheritable sets, one bit a capability. The corresponding call is `capget(2)`.
    package static func capabilities() throws(Errno) -> (effective: UInt64, permitted: UInt64, inheritable: UInt64) {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        try check(unsafe clinux_capget(&effective, &permitted, &inheritable))
        return (effective, permitted, inheritable)
    }

    /// The corresponding system call is `capset(2)`.
    package static func setCapabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64) throws(Errno) {
        try check(clinux_capset(effective, permitted, inheritable))
    }

    /// `PR_CAPBSET_READ`: throws `EINVAL` for a capability that this kernel does not know.
    package static func boundingContains(_ capability: UInt8) throws(Errno) -> Bool {
        try check(clinux_prctl(23, UInt(capability), 0, 0, 0)) == 1
    }

    /// `PR_CAPBSET_DROP`.
    package static func dropBounding(_ capability: UInt8) throws(Errno) {
        try check(clinux_prctl(24, UInt(capability), 0, 0, 0))
    }

    /// `PR_SET_KEEPCAPS`: keep the permitted set across the change of user id.
    package static func setKeepCapabilities(_ keep: Bool) throws(Errno) {
        try check(clinux_prctl(8, keep ? 1 : 0, 0, 0, 0))
    }

    /// `PR_CAP_AMBIENT_CLEAR_ALL`.
    package static func clearAmbient() throws(Errno) {
        try check(clinux_prctl(47, 4, 0, 0, 0))
    }

    /// `PR_CAP_AMBIENT_RAISE`.
    package static func raiseAmbient(_ capability: UInt8) throws(Errno) {
        try check(clinux_prctl(47, 2, UInt(capability), 0, 0))
    }
}
