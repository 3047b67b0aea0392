// `linux.netDevices`: devices of the host that the container is to have.

import KernelTypes
import OCISpec

extension Validator {
    static func netDevices(
        _ linux: Linux,
        in container: ContainerConfiguration,
        facts: HostFacts
    ) throws(ConfigurationProblem) -> [NetworkDevice] {
        guard let given = linux.netDevices, !given.isEmpty else { return [] }
        let place = Place(keyPath: "linux.netDevices")
        guard container.namespaces.isSeparate(.network) else {
            throw place.problem("expected one of type network in linux.namespaces, to move the devices to")
        }
        guard !facts.isRootless else {
            throw place.problem("moving network devices needs the machine's root")
        }
        var devices: [NetworkDevice] = []
        for (hostName, device) in given {
            let place = place.member(hostName)
            try checkName(hostName, isTemplate: false, at: place)
            var name = hostName
            if let wanted = device.name, !wanted.isEmpty {
                try checkName(wanted, isTemplate: true, at: place.member("name"))
                name = wanted
            }
            guard isTemplate(name) || !devices.contains(where: { $0.name == name }) else {
                throw place.member("name").problem("\(quoted(name)) is the name of another device of the container")
            }
            devices.append(NetworkDevice(hostName: hostName, name: name))
        }
        return devices
    }

    private static func isTemplate(_ name: String) -> Bool { name.utf8.contains(UInt8(ascii: "%")) }

    /// The kernel's rules for the name of a device: `dev_valid_name`, and `%d` once where it is to pick a number.
    private static func checkName(_ name: String, isTemplate: Bool, at place: Place) throws(ConfigurationProblem) {
        let bytes = Array(name.utf8)
        let isPlain = bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
        guard (1...15).contains(bytes.count), isPlain, name != ".", name != ".." else {
            throw place.expected(
                "the name of a network device: 1 to 15 bytes without white space, / and :",
                found: quoted(name)
            )
        }
        let percents = bytes.indices.filter { bytes[$0] == UInt8(ascii: "%") }
        guard let percent = percents.first else { return }
        guard isTemplate, percents.count == 1, bytes.dropFirst(percent + 1).first == UInt8(ascii: "d") else {
            throw place.expected(isTemplate ? "no % but in one %d" : "no %", found: quoted(name))
        }
    }
}
