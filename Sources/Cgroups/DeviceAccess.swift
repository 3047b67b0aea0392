// Which devices a container may use, in the form that cgroup v1 can hold: one answer for every device, and exceptions
// to it. Pure. Rules are obeyed in their order, later ones over earlier ones; what v1 cannot say is refused, never
// approximated. The v2 form is DeviceProgram's.

package import Configuration
package import Diagnostics
internal import LinuxSystem

/// The outcome of an ordered list of device rules.
package struct DeviceAccess: Equatable, Sendable {
    /// A device, or all devices of a kind or major number, to which the opposite of the default applies.
    package struct Exception: Equatable, Sendable {
        let kind: DeviceRule.Kind
        let major: UInt32?
        let minor: UInt32?
        var access: DeviceRule.Access

        /// Whether every device of `other` is one of this exception's.
        func covers(_ other: Exception) -> Bool {
            kind == other.kind && (major == nil || major == other.major) && (minor == nil || minor == other.minor)
        }

        /// Whether some device is of both.
        func meets(_ other: Exception) -> Bool {
            func agree(_ one: UInt32?, _ two: UInt32?) -> Bool { one == nil || two == nil || one == two }
            return kind == other.kind && agree(major, other.major) && agree(minor, other.minor)
        }

        /// As the kernel's device files have it: `c 1:3 rwm`.
        var line: String {
            "\(kind.rawValue) \(major.map { "\($0)" } ?? "*"):\(minor.map { "\($0)" } ?? "*") \(access.letters)"
        }
    }

    package private(set) var allowsByDefault = false
    package private(set) var exceptions: [Exception] = []

    /// Nothing is allowed but what `rules` allow; then `DeviceRule.defaults` are.
    package init(rules: [DeviceRule]) throws(Failure) {
        for (index, rule) in rules.enumerated() {
            try apply(rule, key: "linux.resources.devices[\(index)]")
        }
        for rule in DeviceRule.defaults {
            try apply(rule, key: "linux.resources.devices")
        }
    }

    private init() {}

    /// What `devices.list` says; its line for everything hides the exceptions that there may be.
    package static func parse(list: String) -> DeviceAccess {
        var result = DeviceAccess()
        for line in list.split(separator: "\n") {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == ":" })
            guard fields.count == 4, let kind = DeviceRule.Kind(rawValue: String(fields[0])) else { continue }
            if kind == .all {
                result.allowsByDefault = true
            } else {
                result.exceptions.append(
                    Exception(
                        kind: kind,
                        major: UInt32(fields[1]),
                        minor: UInt32(fields[2]),
                        access: DeviceRule.Access(letters: fields[3])
                    )
                )
            }
        }
        return result
    }

    private mutating func apply(_ rule: DeviceRule, key: String) throws(Failure) {
        if rule.kind == .all {
            if rule.major == nil && rule.minor == nil && rule.access == .everything {
                allowsByDefault = rule.allow
                exceptions = []
                return
            }
            try apply(rule.as(.character), key: key)
            return try apply(rule.as(.block), key: key)
        }
        let subject = Exception(kind: rule.kind, major: rule.major, minor: rule.minor, access: rule.access)
        if rule.allow == allowsByDefault {
            try remove(subject, key: key)
        } else {
            add(subject)
        }
    }

    private mutating func add(_ subject: Exception) {
        let same = exceptions.firstIndex {
            $0.kind == subject.kind && $0.major == subject.major && $0.minor == subject.minor
        }
        if let same {
            exceptions[same].access.formUnion(subject.access)
        } else {
            exceptions.append(subject)
        }
    }

    private mutating func remove(_ subject: Exception, key: String) throws(Failure) {
        for index in exceptions.indices where exceptions[index].meets(subject) {
            let common = exceptions[index].access.intersection(subject.access)
            if common.isEmpty { continue }
            guard subject.covers(exceptions[index]) else {
                let (verb, other) = allowsByDefault ? ("allows", "denied") : ("denies", "allowed")
                throw Failure(
                    "\(key): \(verb) \(subject.line), a part of what was \(other) before it (\(exceptions[index].line)); "
                        + "cgroup v1 cannot do that"
                )
            }
            exceptions[index].access.subtract(subject.access)
        }
        exceptions.removeAll { $0.access.isEmpty }
    }

    /// The values to write so that a cgroup comes from `present` to this: first what becomes possible, then what ends,
    /// so that a device that is allowed before and after is allowed throughout.
    /// - Parameter present: `nil`: the cgroup is new and holds no process.
    package func writes(from present: DeviceAccess?) -> [CgroupWrite] {
        let (gate, opposite) = allowsByDefault ? ("devices.allow", "devices.deny") : ("devices.deny", "devices.allow")
        guard let present, present.allowsByDefault == allowsByDefault else {
            return Self.write(gate, ["a"]) + Self.write(opposite, exceptions.map(\.line))
        }
        let added = exceptions.filter { !present.exceptions.contains($0) }
        var removed: [Exception] = []
        for old in present.exceptions {
            let new = exceptions.first { $0.covers(old) && old.covers($0) }
            let gone = old.access.subtracting(new?.access ?? [])
            if !gone.isEmpty {
                removed.append(Exception(kind: old.kind, major: old.major, minor: old.minor, access: gone))
            }
        }
        let addition = Self.write(opposite, added.map(\.line))
        let removal = Self.write(gate, removed.map(\.line))
        return allowsByDefault ? removal + addition : addition + removal
    }

    private static func write(_ file: String, _ lines: [String]) -> [CgroupWrite] {
        if lines.isEmpty { return [] }
        return [CgroupWrite("devices", file, lines.text(separatedBy: "\n"), key: "linux.resources.devices")]
    }
}

extension DeviceRule {
    fileprivate func `as`(_ kind: Kind) -> DeviceRule {
        DeviceRule(allow: allow, kind: kind, major: major, minor: minor, access: access)
    }
}

extension DeviceRule.Access {
    /// The kernel's letters: `rwm`.
    fileprivate var letters: String {
        (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.makeNode) ? "m" : "")
    }

    fileprivate init(letters: Substring) {
        self = []
        if letters.contains("r") { insert(.read) }
        if letters.contains("w") { insert(.write) }
        if letters.contains("m") { insert(.makeNode) }
    }
}
