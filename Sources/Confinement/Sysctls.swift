// Kernel parameters of the container's own namespaces. Called by ConfinementPerformer.swift in init, once the process
// is in them. The keys were checked by Configuration; the walk is confined again here, because the handle shows the
// whole machine's parameters.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem
internal import PathResolution

enum Sysctls {
    /// Writes each value whole, in document order, through a private procfs that is gone afterwards.
    static func set(_ settings: [SysctlSetting]) throws(Failure) {
        let proc = try ProcHandle(.all)
        for setting in settings {
            let key = setting.path.parts(separatedBy: "/").joined(separator: ".")
            let file: OwnedFD
            do throws(Failure) {
                file = try proc.open("sys/\(setting.path)", [.writeOnly, .truncate])
            } catch {
                throw Failure(
                    "open the kernel parameter of linux.sysctl.\(key)",
                    error.call ?? .openat2,
                    error.errno ?? .ENOENT,
                    hint: error.errno == .ENOENT
                        ? "this kernel lacks it, its module is not loaded, or it is not a parameter of a namespace"
                        : nil
                )
            }
            do throws(Errno) {
                try file.borrowed.writeOnce(Array(setting.value.utf8))
            } catch {
                throw Failure(
                    "set linux.sysctl.\(key) to \"\(setting.value)\"",
                    .write,
                    error,
                    hint: error == .EINVAL && key == "net.ipv4.ping_group_range"
                        ? "both group ids must be mapped in the container's user namespace" : nil
                )
            }
        }
    }
}
