// Keyrings, seccomp filters, BPF programs of cgroups, anonymous memory.

internal import CLinux
internal import Glibc

/// `keyctl(2)`.
package enum Keyrings {
    /// Joins (and makes, when there is none) the session keyring of that name; returns its serial number.
    package static func joinSession(named name: String) throws(Errno) -> CInt {
        CInt(truncatingIfNeeded: try check(unsafe clinux_keyctl_join_session(name)))
    }

    /// `type;uid;gid;permissions;name`.
    package static func describe(_ key: CInt) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try check(unsafe clinux_keyctl_describe(key, &buffer, buffer.count))
        return String(decoding: buffer.prefix(max(0, count - 1)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func setPermissions(_ key: CInt, _ permissions: UInt32) throws(Errno) {
        try check(clinux_keyctl_setperm(key, permissions))
    }
}

/// `seccomp(2)`.
package enum Seccomp {
    /// Installs a filter (array of 8-byte instructions); returns the listener's descriptor number when `flags` ask for
    /// one, else 0.
    @discardableResult
    package static func install(_ program: [UInt8], flags: UInt32) throws(Errno) -> CInt {
        guard program.count % 8 == 0, let count = UInt16(exactly: program.count / 8) else { throw .EINVAL }
        return CInt(truncatingIfNeeded: try check(unsafe clinux_seccomp_set_filter(program, count, flags)))
    }

    /// Whether this kernel knows all of these `SECCOMP_FILTER_FLAG_*` bits, in this combination.
    package static func knows(flags: UInt32) -> Bool {
        clinux_seccomp_probe_flags(flags) == -Int(EFAULT)
    }

    /// Whether this kernel knows the action.
    package static func isAvailable(action: UInt32) -> Bool {
        clinux_seccomp_action_available(action) >= 0
    }
}

/// Device programs of cgroups; `bpf(2)`.
package enum DevicePrograms {
    /// Loads a program (array of 8-byte instructions).
    package static func load(_ instructions: [UInt8]) throws(Errno) -> OwnedFD {
        let count = UInt32(truncatingIfNeeded: instructions.count / 8)
        return OwnedFD(try check(unsafe clinux_bpf_load_device_program(instructions, count, nil, 0)))
    }

    /// What the verifier says of a program that `load` refused.
    package static func verifierLog(_ instructions: [UInt8]) -> String {
        var log = [CChar](repeating: 0, count: 65_536)
        let count = UInt32(truncatingIfNeeded: instructions.count / 8)
        let result = unsafe clinux_bpf_load_device_program(instructions, count, &log, UInt32(log.count))
        if result >= 0 { _ = clinux_close(CInt(truncatingIfNeeded: result)) }
        return String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Attaches to a cgroup directory, atomically taking the place of `replacing` when given.
    package static func attach(_ program: BorrowedFD, to cgroup: BorrowedFD, replacing old: BorrowedFD?) throws(Errno) {
        let flags: UInt32 = old == nil ? 2 : 2 | 4
        try check(clinux_bpf_attach_device(cgroup.rawValue, program.rawValue, flags, old?.rawValue ?? -1))
    }

    package static func detach(_ program: BorrowedFD, from cgroup: BorrowedFD) throws(Errno) {
        try check(clinux_bpf_detach_device(cgroup.rawValue, program.rawValue))
    }

    /// Identifiers of the programs attached to this cgroup itself, at most 64.
    package static func attached(to cgroup: BorrowedFD) throws(Errno) -> [UInt32] {
        var ids = [UInt32](repeating: 0, count: 64)
        var count = UInt32(ids.count)
        try check(unsafe clinux_bpf_query_device(cgroup.rawValue, &ids, &count))
        return Array(ids.prefix(Int(count)))
    }

    package static func open(id: UInt32) throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_bpf_program_fd(id)))
    }
}

/// Anonymous files.
package enum AnonymousFiles {
    /// A sealable, executable file in memory. The corresponding system call is `memfd_create(2)`.
    package static func make(_ name: String, executable: Bool) throws(Errno) -> OwnedFD {
        do throws(Errno) {
            let result = unsafe clinux_memfd_create(name, 1 | 2 | (executable ? 0x10 : 0x8))
            return OwnedFD(try check(result))
        } catch .EINVAL {
            // Before Linux 6.3 the executable flags do not exist.
            return OwnedFD(try check(unsafe clinux_memfd_create(name, 1 | 2)))
        }
    }

    /// Forbids every further change: no write, no growth, no shrinking, no unsealing.
    package static func seal(_ fd: BorrowedFD) throws(Errno) {
        try check(clinux_fcntl(fd.rawValue, 1033, 0x1 | 0x2 | 0x4 | 0x8))
    }

    /// Whether all of `seal`'s seals are on.
    package static func isSealed(_ fd: BorrowedFD) -> Bool {
        clinux_fcntl(fd.rawValue, 1034, 0) & 0xf == 0xf
    }

    /// Copies at most `count` bytes between files; 0 at the end. The corresponding system call is `sendfile(2)`.
    package static func copy(from source: BorrowedFD, to target: BorrowedFD, count: Int) throws(Errno) -> Int {
        try checkRetrying { clinux_copy_file(target.rawValue, source.rawValue, count) }
    }
}

/// Memory that this process shares with the children it makes afterwards, for as long as any of them lives.
@safe package struct SharedWords: @unchecked Sendable {
    private let base: UnsafeMutablePointer<UInt32>
    /// How many words there are.
    package let count: Int

    /// Words of 32 bits, all zero; what is not touched takes no memory. The corresponding system call is `mmap(2)`.
    package init(count: Int) throws(Errno) {
        guard let memory = unsafe clinux_shared_memory(count * MemoryLayout<UInt32>.size) else { throw .ENOMEM }
        unsafe base = memory.assumingMemoryBound(to: UInt32.self)
        self.count = count
    }

    /// Word `index`, from 0.
    package subscript(index: Int) -> UInt32 {
        get {
            precondition((0..<count).contains(index))
            return unsafe base[index]
        }
        nonmutating set {
            precondition((0..<count).contains(index))
            unsafe base[index] = newValue
        }
    }
}
