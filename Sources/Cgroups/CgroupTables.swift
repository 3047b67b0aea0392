// Pure readers of the two kernel tables that say how cgroups are mounted and where this process is: /proc/self/cgroup
// and /proc/self/mountinfo. Called by CgroupLayout; never open a file.

internal import LinuxSystem

/// One line of /proc/self/cgroup; see cgroups(7).
package struct CgroupMembership: Equatable, Sendable {
    /// `cpu,cpuacct`, `name=systemd`; empty for the v2 hierarchy.
    package let hierarchy: String
    /// As seen from the cgroup namespace's root: `/user.slice`.
    package let path: String

    package init(hierarchy: String, path: String) {
        self.hierarchy = hierarchy
        self.path = path
    }

    /// All lines, in the kernel's order. Lines of another form, or not in UTF-8, are left out.
    package static func parse(_ bytes: [UInt8]) -> [CgroupMembership] {
        var memberships: [CgroupMembership] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if let membership = parseLine(bytes[start..<end]) { memberships.append(membership) }
            start = end + 1
        }
        return memberships
    }

    /// `NUMBER:HIERARCHY:PATH`; the path may hold colons.
    private static func parseLine(_ line: ArraySlice<UInt8>) -> CgroupMembership? {
        let colon = UInt8(ascii: ":")
        guard let first = line.firstIndex(of: colon), let second = line[(first + 1)...].firstIndex(of: colon),
            let hierarchy = String(utf8: line[(first + 1)..<second]),
            let path = String(utf8: line[(second + 1)...]),
            path.utf8.first == UInt8(ascii: "/")
        else { return nil }
        return CgroupMembership(hierarchy: hierarchy, path: path)
    }
}

/// One cgroup mount of /proc/self/mountinfo; see proc_pid_mountinfo(5).
package struct CgroupMount: Equatable, Sendable {
    package let isUnified: Bool
    /// The cgroup that the mount shows: `/` unless it is a part of the hierarchy.
    package let root: String
    package let mountPoint: String
    /// The file system's options: controllers and `name=`, among others.
    package let options: [String]

    package init(isUnified: Bool, root: String, mountPoint: String, options: [String]) {
        self.isUnified = isUnified
        self.root = root
        self.mountPoint = mountPoint
        self.options = options
    }

    /// Whether this mount shows the hierarchy that /proc/self/cgroup calls so.
    package func shows(_ hierarchy: String) -> Bool {
        if hierarchy.isEmpty { return isUnified }
        return !isUnified && hierarchy.split(separator: ",").allSatisfy { options.contains(String($0)) }
    }

    /// All cgroup mounts, in the kernel's order. Lines of another form, or not in UTF-8, are left out.
    package static func parse(_ bytes: [UInt8]) -> [CgroupMount] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { parseLine($0) }
    }

    private static func parseLine(_ line: ArraySlice<UInt8>) -> CgroupMount? {
        let fields = line.split(separator: UInt8(ascii: " "))
        // Optional fields end with a dash of their own.
        guard fields.count >= 10,
            let dash = fields[6...].firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
            dash + 3 < fields.count
        else { return nil }
        let isUnified: Bool
        if fields[dash + 1].elementsEqual("cgroup2".utf8) {
            isUnified = true
        } else if fields[dash + 1].elementsEqual("cgroup".utf8) {
            isUnified = false
        } else {
            return nil
        }
        guard let root = String(utf8: unescaped(fields[3])),
            let mountPoint = String(utf8: unescaped(fields[4])),
            let options = String(utf8: unescaped(fields[dash + 3]))
        else { return nil }
        return CgroupMount(
            isUnified: isUnified,
            root: root,
            mountPoint: mountPoint,
            options: options.split(separator: ",").map(String.init)
        )
    }

    /// The kernel writes space, tab, line feed and backslash as a backslash and three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3,
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
                let value = UInt8(exactly: digits.reduce(0) { $0 * 8 + Int($1 - UInt8(ascii: "0")) })
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(3)
        }
        return bytes
    }
}
