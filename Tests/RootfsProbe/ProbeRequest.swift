// The probe's arguments, as the values that the planner takes. Knows only the options that the tests use.

import Configuration
import KernelTypes
import LinuxSystem
import Rootfs

/// What the probe is to do.
struct ProbeRequest {
    var configuration = ContainerConfiguration(
        ociVersion: "1.2.0",
        root: RootConfiguration(path: "/nonexistent", readonly: false),
        namespaces: NamespaceConfiguration(created: [.mount, .pid, .network, .ipc, .uts])
    )
    var facts = HostFacts(cgroupMode: .hybrid)
    var cgroups: [CgroupMountSource] = []
    var noPivot = false
    var console = false
    var ownCgroupNamespace = false
    var printsPlan = false
    /// Whom the probe becomes before anything else.
    var user: UInt32 = 0
    /// A directory of the host that is to have a read-only, nosuid mount.
    var lockedSource: String?
    /// Number of a system call that the kernel is to answer with `ENOSYS`.
    var denied: Int?
    var uidMap = "0 100000 65536\n"
    var gidMap = "0 100000 65536\n"
    var script = ""

    init(arguments: [String]) {
        var rest = arguments[...]
        func fields() -> [String] {
            rest.removeFirst().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--rootfs": configuration.root.path = rest.removeFirst()
            case "--user":
                configuration.namespaces.created.append(.user)
                configuration.uidMappings = [IDMapping(containerID: 0, hostID: 100_000, size: 65_536)]
                configuration.gidMappings = configuration.uidMappings
            case "--ordinary-user": facts.effectiveUserID = 1000
            case "--as":
                user = UInt32(rest.removeFirst()) ?? 0
                facts.effectiveUserID = user
                uidMap = "0 \(user) 1\n"
                gidMap = uidMap
            case "--locked-source": lockedSource = rest.removeFirst()
            case "--share":
                let kind = rest.removeFirst()
                configuration.namespaces.created.removeAll { $0.rawValue == kind }
            case "--mount": configuration.mounts.append(Self.mount(fields()))
            case "--device": configuration.devices.append(Self.device(fields()))
            case "--mask": configuration.maskedPaths.append(rest.removeFirst())
            case "--readonly-path": configuration.readonlyPaths.append(rest.removeFirst())
            case "--readonly": configuration.root.readonly = true
            case "--propagation": configuration.rootfsPropagation = MountPropagation(rawValue: rest.removeFirst())
            case "--label": configuration.mountLabel = rest.removeFirst()
            case "--no-pivot": noPivot = true
            case "--console": console = true
            case "--deny": denied = Int(rest.removeFirst())
            case "--plan": printsPlan = true
            case "--unified": facts.cgroupMode = .unified
            case "--own-cgroup-namespace":
                ownCgroupNamespace = true
                configuration.namespaces.joined.append(.init(kind: .cgroup, path: "/proc/self/ns/cgroup"))
            case "--cgroup":
                let words = fields()
                cgroups.append(
                    CgroupMountSource(
                        version: words[0] == "2" ? .unified : .legacy,
                        name: words[1],
                        parameters: words[0] == "2" ? [] : [words[1]],
                        links: Array(words.dropFirst(3)),
                        path: words[2]
                    )
                )
            default: script = argument
            }
        }
    }

    static func device(_ words: [String]) -> DeviceNode {
        DeviceNode(
            kind: DeviceNode.Kind(rawValue: words[1]) ?? .character,
            path: words[0],
            major: UInt32(words[2]) ?? 0,
            minor: UInt32(words[3]) ?? 0,
            mode: UInt32(words[4], radix: 8) ?? 0,
            uid: UInt32(words[5]) ?? 0,
            gid: UInt32(words[6]) ?? 0
        )
    }

    static func mount(_ words: [String]) -> MountConfiguration {
        let kind: MountConfiguration.Kind =
            switch words[0] {
            case "bind": .bind(recursive: false)
            case "rbind": .bind(recursive: true)
            case "cgroup": .cgroup
            case "remount": .remount
            default: .fileSystem(type: words[0])
            }
        var options = MountOptions()
        let names = Array(words.dropFirst(3))
        for name in names { apply(name, to: &options) }
        return MountConfiguration(
            kind: kind,
            destination: words[1],
            source: words[2].isEmpty ? nil : words[2],
            options: options,
            optionWords: names
        )
    }

    private static let attributes: [String: MountAttributes] = [
        "ro": .readOnly, "nosuid": .noSetID, "nodev": .noDevices, "noexec": .noExecute, "noatime": .noAccessTime,
        "nosymfollow": .noSymlinkFollow, "strictatime": .strictAccessTime,
    ]
    private static let opposites: [String: MountAttributes] = [
        "rw": .readOnly, "suid": .noSetID, "dev": .noDevices, "exec": .noExecute,
    ]

    private static func apply(_ name: String, to options: inout MountOptions) {
        let recursive = name.hasPrefix("r") ? String(name.dropFirst()) : ""
        if let attribute = attributes[name] {
            options.set.formUnion(attribute)
        } else if let attribute = opposites[name] {
            options.cleared.formUnion(attribute)
        } else if let attribute = attributes[recursive] {
            options.recursivelySet.formUnion(attribute)
        } else if let propagation = MountPropagation(rawValue: name) {
            options.propagation.append(PropagationChange(propagation, recursive: false))
        } else if let propagation = MountPropagation(rawValue: recursive) {
            options.propagation.append(PropagationChange(propagation, recursive: true))
        } else if name == "tmpcopyup" {
            options.copiesUp = true
        } else if name == "idmap" {
            options.idMap = IDMapRequest(recursive: false, uidMappings: [], gidMappings: [])
        } else if name.hasPrefix("idmap=") {
            let ids = name.dropFirst(6).split(separator: "-").compactMap { UInt32($0) }
            let map = [IDMapping(containerID: ids[0], hostID: ids[1], size: ids[2])]
            options.idMap = IDMapRequest(recursive: false, uidMappings: map, gidMappings: map)
        } else {
            options.data.append(name)
        }
    }
}
