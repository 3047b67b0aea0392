// Puts a device program on a cgroup v2 directory: never two at once for longer than a moment, never none.

internal import Diagnostics
internal import LinuxSystem

/// The device program of a cgroup.
enum DevicePolicy {
    /// Loads and attaches the program in the place of the one before it; more than one from before (another runtime's)
    /// all go once the new one is there.
    static func install(_ program: DeviceProgram, on cgroup: CgroupDirectory) throws(Failure) {
        let place = cgroup.location.directory
        let new = try load(program)
        let old = try attempt("list the device programs of \(place)", .bpf) { () throws(Errno) in
            try DevicePrograms.attached(to: cgroup.descriptor)
        }
        if old.count == 1, let replaced = try? DevicePrograms.open(id: old[0]) {
            return try attach(new.borrowed, to: cgroup, replacing: replaced.borrowed)
        }
        // One that may not be opened, or that ended meanwhile, is not replaced: all programs must allow.
        try attach(new.borrowed, to: cgroup, replacing: nil)
        for id in old {
            guard let stale = try? DevicePrograms.open(id: id) else { continue }
            try attempt("detach an old device program from \(place)", .bpf) { () throws(Errno) in
                try DevicePrograms.detach(stale.borrowed, from: cgroup.descriptor)
            }
        }
    }

    private static func attach(
        _ program: BorrowedFD,
        to cgroup: CgroupDirectory,
        replacing old: BorrowedFD?
    ) throws(Failure) {
        let place = cgroup.location.directory
        try attempt("attach the program for linux.resources.devices to \(place)", .bpf) { () throws(Errno) in
            try DevicePrograms.attach(program, to: cgroup.descriptor, replacing: old)
        }
    }

    private static func load(_ program: DeviceProgram) throws(Failure) -> OwnedFD {
        do throws(Errno) {
            return try DevicePrograms.load(program.bytes)
        } catch {
            let words = error == .EINVAL || error == .EACCES ? DevicePrograms.verifierLog(program.bytes) : ""
            throw Failure(
                "load the program for linux.resources.devices",
                .bpf,
                error,
                hint: words.isEmpty ? nil : words
            )
        }
    }
}
