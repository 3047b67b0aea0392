// Device nodes of the container, and the rules on which devices it may use. See mknod(2).

import OCISpec

extension Validator {
    /// The kernel packs a device number into 12 and 20 bits.
    private static let majors: ClosedRange<Int64> = 0...0xFFF
    private static let minors: ClosedRange<Int64> = 0...0xF_FFFF

    static func devices(_ linux: Linux) throws(ConfigurationProblem) -> [DeviceNode] {
        var nodes: [DeviceNode] = []
        let place = Place(keyPath: "linux.devices")
        for (index, device) in (linux.devices ?? []).enumerated() {
            let place = place.element(index)
            let node = try self.device(device, at: place)
            if let other = nodes.first(where: { $0.path.utf8.elementsEqual(node.path.utf8) }) {
                guard other == node else {
                    throw place.member("path").problem(
                        "expected one device for each path, found another entry for \(quoted(node.path))"
                    )
                }
                continue
            }
            nodes.append(node)
        }
        return nodes
    }

    private static let nodeKinds: [(name: String, value: DeviceNode.Kind)] = [
        ("c", .character), ("u", .character), ("b", .block), ("p", .fifo),
    ]

    private static func device(_ device: Device, at place: Place) throws(ConfigurationProblem) -> DeviceNode {
        let kind = try place.member("type").word(device.type, from: nodeKinds)
        let path = try place.member("path").absolutePath(device.path)
        guard path != "/" else { throw place.member("path").expected("the path of a file", found: quoted(device.path)) }
        var numbers: [UInt32] = []
        for (key, value, range) in [("major", device.major, majors), ("minor", device.minor, minors)] {
            guard let value else {
                guard kind == .fifo else {
                    throw place.member(key).problem("required for a device of type \(device.type), but missing")
                }
                numbers.append(0)
                continue
            }
            numbers.append(UInt32(try place.member(key).number(value, in: range)))
        }
        // Higher runtimes copy st_mode of the node on the host: the type bits in it are not asked for.
        let mode = (device.fileMode ?? 0o666) & ~0o170000
        guard mode <= 0o7777 else {
            throw place.member("fileMode").expected("permission bits up to 4095 (octal 7777)", found: "\(mode)")
        }
        return DeviceNode(
            kind: kind,
            path: path,
            major: numbers[0],
            minor: numbers[1],
            mode: mode,
            uid: device.uid ?? 0,
            gid: device.gid ?? 0
        )
    }

    // MARK: - Rules

    private static let ruleKinds: [(name: String, value: DeviceRule.Kind)] = [
        ("a", .all), ("c", .character), ("b", .block),
    ]

    static func deviceRule(_ rule: OCISpec.DeviceRule, at place: Place) throws(ConfigurationProblem) -> DeviceRule {
        let type = rule.type ?? ""
        return DeviceRule(
            allow: rule.allow,
            kind: type.isEmpty ? .all : try place.member("type").word(type, from: ruleKinds),
            major: try deviceNumber(rule.major, at: place.member("major")),
            minor: try deviceNumber(rule.minor, at: place.member("minor")),
            access: try deviceAccess(rule.access, at: place.member("access"))
        )
    }

    /// `nil` stands for any number, as do its absence and -1.
    private static func deviceNumber(_ number: Int64?, at place: Place) throws(ConfigurationProblem) -> UInt32? {
        guard let number, number != -1 else { return nil }
        return UInt32(try place.number(number, in: -1...Int64(UInt32.max)))
    }

    private static func deviceAccess(_ text: String?, at place: Place) throws(ConfigurationProblem) -> DeviceRule.Access
    {
        guard let text, !text.isEmpty else { return .everything }
        var access: DeviceRule.Access = []
        for letter in text.utf8 {
            switch letter {
            case UInt8(ascii: "r"): access.insert(.read)
            case UInt8(ascii: "w"): access.insert(.write)
            case UInt8(ascii: "m"): access.insert(.makeNode)
            default: throw place.expected("letters out of r, w and m", found: quoted(text))
            }
        }
        return access
    }
}
