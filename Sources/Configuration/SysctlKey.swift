// Names of kernel parameters: their two spellings, and which namespace each parameter belongs to.
// A key is only ever made with plain components, so that joining it to /proc/sys cannot leave the directory it names.

package import KernelTypes

/// The checked name of a kernel parameter, see sysctl(8).
package struct SysctlKey: Equatable, Sendable {
    /// `net`, `ipv4`, `ip_forward`; each one non-empty, without a slash, and neither `.` nor `..`.
    package let components: [String]

    /// Parses `net.ipv4.ip_forward` or `net/ipv4/ip_forward`; `nil` if a component is empty, `.` or `..`.
    ///
    /// The first separator decides what separates; the other character then stands for the first inside a component:
    /// `net.ipv4.conf.eth0/1.forwarding` and `net/ipv4/conf/eth0.1/forwarding` are one parameter.
    package init?(_ text: String) {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard !text.utf8.contains(0) else { return nil }
        let separator = text.utf8.first { $0 == dot || $0 == slash } ?? dot
        var components: [String] = []
        for part in text.utf8.split(separator: separator, omittingEmptySubsequences: false) {
            // What is left of the other character: a slash stands for a dot.
            let bytes = part.map { $0 == slash ? dot : $0 }
            guard !bytes.isEmpty, bytes != [dot], bytes != [dot, dot] else { return nil }
            components.append(String(decoding: bytes, as: UTF8.self))
        }
        self.components = components
    }

    /// Below `/proc/sys`: `net/ipv4/conf/eth0.1/forwarding`.
    package var path: String { components.joined(separator: "/") }

    /// The kind of namespace whose parameter it is; `nil` for a parameter of the whole machine.
    package var namespace: NamespaceKind? {
        switch components[0] {
        case "net" where components.count > 1: return .network
        case "user" where components.count > 1: return .user
        case "fs" where components.count > 2 && components[1] == "mqueue": return .ipc
        case "kernel" where components.count == 2: break
        default: return nil
        }
        switch components[1] {
        case "hostname", "domainname": return .uts
        case "msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced": return .ipc
        default: return nil
        }
    }
}
