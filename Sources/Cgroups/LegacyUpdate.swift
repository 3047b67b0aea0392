// `update` on cgroup v1: limits, and device rules of processes that run.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

extension LegacyDriver {
    func update(_ resources: ResourceConfiguration, devices: DeviceChange?) throws(Failure) {
        let writes = try ResourceTranslation.legacy(resources)
        // What cannot be said at all is refused before anything is changed.
        let access = try devices.map { change throws(Failure) in
            (old: try DeviceAccess(rules: change.old), new: try DeviceAccess(rules: change.new))
        }
        let change = try CgroupUpdate(writes) { write throws(Failure) in try directory(for: write) }
        try change.perform(
            last: { () throws(Failure) in
                if let access { try replace(access.old, by: access.new) }
            },
            explain: { failure, write, directory throws(Failure) in
                guard failure.errno == .EBUSY, write.controller == "memory",
                    let usage = try directory.readIfPresent("memory.usage_in_bytes")
                else { return failure }
                return failure.hinting("\(usage) bytes are in use, and the kernel cannot reclaim enough of them")
            }
        )
    }

    private static let patience: Int64 = 5_000_000_000

    /// From what the kernel has to the new rules. Where the answer for all other devices changes, there is a moment
    /// in between without any: processes do not run in it.
    private func replace(_ old: DeviceAccess, by new: DeviceAccess) throws(Failure) {
        guard let directory = try member("devices")?.open() else {
            throw Failure("set linux.resources.devices: the container has no cgroup of the controller devices")
        }
        let present = try Self.present(directory, recorded: old)
        let turns = present?.allowsByDefault != new.allowsByDefault
        let wasFrozen = try isFrozen()
        if turns && !wasFrozen { try freeze(deadline: Machine.monotonicNanoseconds() + Self.patience) }
        var failure: Failure?
        do throws(Failure) {
            try CgroupWrite.perform(new.writes(from: present)) { _ in directory }
        } catch {
            failure = error
            do throws(Failure) {
                let partial = try Self.present(directory, recorded: nil)
                try CgroupWrite.perform((present ?? old).writes(from: partial)) { _ in directory }
            } catch {
                failure = failure?.hinting("the old device rules could not be set again: \(error.line)")
            }
        }
        if turns && !wasFrozen { try thaw() }
        if let failure { throw failure }
    }

    /// The kernel does not tell the exceptions from "everything": those are as the container's record has them.
    /// - Parameter recorded: `nil` when the record does not say what is there now: then all is written again.
    private static func present(
        _ directory: CgroupDirectory,
        recorded: DeviceAccess?
    ) throws(Failure) -> DeviceAccess? {
        let listed = DeviceAccess.parse(list: try directory.readIfPresent("devices.list") ?? "")
        guard listed.allowsByDefault else { return listed }
        return recorded.flatMap { $0.allowsByDefault ? $0 : nil }
    }
}
