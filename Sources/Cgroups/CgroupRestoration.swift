// What has to be written so that a cgroup's file says again what it says now. Pure. Most files read as they are
// written; some hold a line a device, of which a write changes one.

internal import LinuxSystem

extension CgroupWrite {
    /// The write that takes this one back.
    /// - Parameters:
    ///   - choice: The file, and the value that is going to be written.
    ///   - present: The file's text before that.
    func restoring(_ choice: Choice, _ present: String) -> CgroupWrite {
        let lines: [String]
        switch choice.file {
        case "memory.oom_control":
            lines = present.split(separator: "\n" as Character).filter { $0.hasPrefix("oom_kill_disable ") }
                .map { String($0.dropFirst("oom_kill_disable ".utf8.count)) }
        case _ where Self.isKeyed(choice):
            lines = choice.value.split(separator: "\n" as Character).map { Self.keyedLine($0, choice.file, present) }
        default:
            lines = present.split(separator: "\n" as Character).map(String.init)
        }
        return CgroupWrite(
            controller,
            choice.file,
            // An empty value is a line, too.
            lines.isEmpty ? " " : lines.joined(separator: "\n"),
            key: key,
            isInterdependent: true
        )
    }

    /// Whether the file has a line for each device or interface.
    private static func isKeyed(_ choice: Choice) -> Bool {
        if choice.file == "rdma.max" || choice.file == "net_prio.ifpriomap" { return true }
        let first = choice.value.split(separator: " " as Character).first ?? ""
        let numbers = first.split(separator: ":" as Character, omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { UInt32($0) != nil }
    }

    /// The present line of the device that `written` names or, if it has none, the one that takes its line away.
    private static func keyedLine(_ written: Substring, _ file: String, _ present: String) -> String {
        let words = written.split(separator: " " as Character)
        let device = words.first ?? ""
        let line = present.split(separator: "\n" as Character).first { line in
            line.split(separator: " " as Character).first == device
        }
        if let line { return String(line) }
        let settings = words.dropFirst().compactMap { $0.split(separator: "=" as Character).first }
        switch file {
        case "io.max", "rdma.max": return ([device] + settings.map { "\($0)=max" }).joined(separator: " ")
        case "io.weight", "io.bfq.weight": return "\(device) default"
        default: return "\(device) 0"
        }
    }
}
