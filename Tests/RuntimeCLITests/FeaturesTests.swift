// The features document against the parser: every word that it lists is accepted in a config.json, and one that it does
// not list is refused. A list with a word too many or too few fails here.

import Configuration
import Foundation
import JSON
import OCISpec
import Testing

@testable import RuntimeCLI

@Suite("Features")
struct FeaturesTests {
    static let features: Features = {
        guard let text = try? FeaturesReport.text(libseccomp: "2.5.4"),
            let features = try? Foundation.JSONDecoder().decode(Features.self, from: Data(text.utf8))
        else { return Features(ociVersionMin: "", ociVersionMax: "") }
        return features
    }()

    /// Whether a config.json with this in its sections is accepted.
    static func accepts(
        version: String = "1.3.0",
        _ linux: [String: Any] = [:],
        _ others: [String: Any] = [:],
        namespaces: [[String: Any]] = [["type": "mount"]]
    ) throws -> Bool {
        var document: [String: Any] = [
            "ociVersion": version, "root": ["path": "rootfs"],
            "process": ["cwd": "/", "args": ["true"], "user": ["uid": 0, "gid": 0]],
        ]
        document["linux"] = linux.merging(["namespaces": namespaces]) { given, _ in given }
        document.merge(others) { $1 }
        let bytes = [UInt8](try JSONSerialization.data(withJSONObject: document))
        do {
            let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
            let facts = HostFacts(appArmorIsEnabled: true, seLinuxIsEnabled: true)
            let container = try Validator.configuration(from: spec, bundle: "/b", facts: facts)
            return container.warnings.isEmpty
        } catch is ConfigurationProblem {
            return false
        }
    }

    /// Every word of a list is accepted, a made-up one is not, and the list has no word twice.
    static func check(
        _ words: [String]?,
        _ isAccepted: (String) throws -> Bool,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let words = try #require(words, sourceLocation: location)
        #expect(!words.isEmpty && Set(words).count == words.count, sourceLocation: location)
        for word in words { #expect(try isAccepted(word), "\(word)", sourceLocation: location) }
        for word in ["", "nothing", words[0] + "X", words[0].lowercased() + "_"] {
            #expect(try !isAccepted(word), "\(word)", sourceLocation: location)
        }
    }

    @Test func versionsAreAccepted() throws {
        #expect(try Self.accepts(version: Self.features.ociVersionMin))
        #expect(try Self.accepts(version: Self.features.ociVersionMax))
    }

    @Test func hooksAreRun() throws {
        let hooks = try #require(Self.features.hooks)
        #expect(hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
        // An unknown member is no error anywhere; a hook that is known is looked at.
        for name in hooks { #expect(try !Self.accepts([:], ["hooks": [name: [["path": "relative"]]]]), "\(name)") }
        #expect(try Self.accepts([:], ["hooks": ["prestop": [["path": "relative"]]]]))
    }

    @Test func mountOptionsAreUnderstood() throws {
        let options = try #require(Self.features.mountOptions)
        #expect(Set(options) == Set(MountOptionTable.names))
        for option in options {
            let namespaces: [[String: Any]] = [["type": "mount"], ["type": "user"]]
            let mapping = [["containerID": 0, "hostID": 1, "size": 1]]
            var mount: [String: Any] = ["destination": "/a", "type": "tmpfs", "source": "/a", "options": [option]]
            if option.hasSuffix("idmap") || option.contains("link") || option.hasSuffix("-nofollow") {
                mount["options"] = ["bind", option]
            }
            #expect(
                try Self.accepts(
                    ["uidMappings": mapping, "gidMappings": mapping],
                    ["mounts": [mount]],
                    namespaces: namespaces
                ),
                "\(option)"
            )
        }
        // What only a file system knows is not listed.
        for word in ["size", "mode", "nothing"] { #expect(!options.contains(word)) }
    }

    @Test func namespacesAreKnown() throws {
        let mapping = [["containerID": 0, "hostID": 1, "size": 1]]
        try Self.check(Self.features.linux?.namespaces) { kind in
            try Self.accepts(
                kind == "user" ? ["uidMappings": mapping, "gidMappings": mapping] : [:],
                namespaces: kind == "mount" ? [["type": kind]] : [["type": kind], ["type": "mount"]]
            )
        }
    }

    /// An unknown one is skipped with a warning, as the specification wants.
    @Test func capabilitiesAreKnown() throws {
        try Self.check(Self.features.linux?.capabilities) { name in
            let process: [String: Any] = [
                "cwd": "/", "args": ["true"], "user": ["uid": 0, "gid": 0],
                "capabilities": ["bounding": [name], "permitted": [name]],
            ]
            return try Self.accepts([:], ["process": process])
        }
    }

    @Test func seccompIsKnown() throws {
        let seccomp = try #require(Self.features.linux?.seccomp)
        func rule(_ change: [String: Any]) -> [String: Any] {
            let rule: [String: Any] = ["names": ["getcwd"], "action": "SCMP_ACT_ALLOW"]
            let seccomp: [String: Any] = [
                "defaultAction": "SCMP_ACT_ERRNO", "listenerPath": "/run/a.sock",
                "syscalls": [rule.merging(change) { $1 }],
            ]
            return ["seccomp": seccomp]
        }
        func section(_ member: String, _ word: String) -> [String: Any] {
            ["seccomp": ["defaultAction": "SCMP_ACT_ERRNO", member: [word]] as [String: Any]]
        }
        try Self.check(seccomp.actions) { try Self.accepts(rule(["action": $0])) }
        try Self.check(seccomp.operators) { try Self.accepts(rule(["args": [["index": 0, "value": 1, "op": $0]]])) }
        try Self.check(seccomp.archs) { try Self.accepts(section("architectures", $0)) }
        try Self.check(seccomp.knownFlags) { try Self.accepts(section("flags", $0)) }
        #expect(Set(seccomp.supportedFlags ?? []).isSubset(of: seccomp.knownFlags ?? []))
    }

    @Test func memoryPoliciesAreKnown() throws {
        let policy = try #require(Self.features.linux?.memoryPolicy)
        try Self.check(policy.modes) { mode in
            let needsNoNodes = mode == "MPOL_DEFAULT" || mode == "MPOL_LOCAL"
            return try Self.accepts(["memoryPolicy": needsNoNodes ? ["mode": mode] : ["mode": mode, "nodes": "0"]])
        }
        try Self.check(policy.flags) { flag in
            try Self.accepts(["memoryPolicy": ["mode": "MPOL_BIND", "nodes": "0", "flags": [flag]] as [String: Any]])
        }
    }

    /// What is said to be there is accepted, and what is said not to be there is refused.
    @Test func switchesAreTrue() throws {
        let linux = try #require(Self.features.linux)
        let network = [["type": "mount"], ["type": "network"]]
        #expect(
            try Self.accepts(["netDevices": ["eth0": [:] as [String: Any]]], namespaces: network)
                == linux.netDevices?.enabled
        )
        #expect(try Self.accepts(["intelRdt": [:] as [String: Any]]) == linux.intelRdt?.enabled)
        #expect(try Self.accepts(["intelRdt": ["schemata": ["L3:0=f"]]]) == linux.intelRdt?.schemata)
        #expect(try Self.accepts(["intelRdt": ["enableMonitoring": true]]) == linux.intelRdt?.monitoring)
        #expect(try Self.accepts(["mountLabel": "a:b:c:s0"]) == linux.selinux?.enabled)
        let rdma = ["rdma": ["mlx5_1": ["hcaHandles": 3]]]
        #expect(try Self.accepts(["resources": rdma]) == linux.cgroup?.rdma)
        let process: [String: Any] = [
            "cwd": "/", "args": ["true"], "user": ["uid": 0, "gid": 0], "apparmorProfile": "profile",
        ]
        #expect(try Self.accepts([:], ["process": process]) == linux.apparmor?.enabled)
    }

    @Test func annotationsWithAMeaningAreListed() {
        #expect(
            Self.features.potentiallyUnsafeConfigAnnotations == [
                "org.criu.config", "org.systemd.property.", "run.oci.keep_original_groups",
                "run.oci.seccomp_fail_unknown_syscall",
            ]
        )
        #expect(Self.features.annotations?["io.github.seccomp.libseccomp.version"] == "2.5.4")
        #expect(Self.features.annotations?["org.opencontainers.runc.checkpoint.enabled"] == "true")
    }
}
