// The plans of all valid configurations on one imagined machine, so that they are the same everywhere.

import Configuration
import Confinement
import Foundation
import JSON
import Launch
import Lifecycle
import OCISpec
import RuntimeCLI
import Testing

enum Plans {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let fixtures = top.appending(path: "spec-fixtures")

    /// A machine on which everything is possible.
    static let facts = HostFacts(cgroupMode: .unified, appArmorIsEnabled: true, seLinuxIsEnabled: true)
    static let capabilities = CapabilityFacts(
        known: CapabilitySet(rawValue: (1 << 41) - 1),
        bounding: CapabilitySet(rawValue: (1 << 41) - 1),
        permitted: CapabilitySet(rawValue: (1 << 41) - 1)
    )
    static let hardLimits = [UInt64](repeating: .max, count: 16)

    /// Behind the names of documents that are planned for the systemd driver too.
    static let scoped = ".systemd"

    /// Valid documents that become a container.
    static let names: [String] = {
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: fixtures.appending(path: "config/valid").path)) ?? []
        let plain = files.filter { $0.hasSuffix(".json") && (try? configuration($0)) != nil }
            .map { String($0.dropLast(5)) }
        return (plain + ["default", "namespaces-joined", "namespace-cgroup"].map { $0 + scoped }).sorted()
    }()

    /// The same on a machine with v1 hierarchies and a v2 one beside them, where cgroups are made while init mounts.
    static let hybridNames = names.map { $0 + hybrid }
    private static let hybrid = "-on-hybrid"
    private static let hybridDirectories = CgroupDirectories(
        unified: ["/sys/fs/cgroup/unified/ID"],
        legacy: ["/sys/fs/cgroup/memory/ID", "/sys/fs/cgroup/cpu,cpuacct/ID"]
    )

    static func configuration(_ file: String) throws -> ContainerConfiguration {
        let document = file.replacingOccurrences(of: scoped, with: "")
        let data = try Data(contentsOf: fixtures.appending(path: "config/valid/\(document)"))
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: [UInt8](data))
        return try Validator.configuration(from: spec, bundle: "/bundle", facts: facts)
    }

    static func request(_ c: ContainerConfiguration, _ name: String = "") -> LaunchRequest {
        var request = LaunchRequest(id: "ID", bundle: "/bundle")
        if name.hasSuffix(scoped) { request.cgroupDriver = .systemd }
        if c.process?.terminal == true { request.console = .socket(path: "/console.sock") }
        request.pidFile = "/pid"
        return request
    }

    static func plan(
        _ c: ContainerConfiguration,
        _ request: LaunchRequest,
        isHybrid: Bool = false
    ) throws -> LaunchPlan {
        var facts = facts
        if isHybrid { facts.cgroupMode = .hybrid }
        return try LaunchPlan(
            c,
            facts,
            request,
            capabilities: capabilities,
            hardLimits: hardLimits,
            cgroups: isHybrid
                ? hybridDirectories
                : CgroupDirectories(
                    unified: [
                        request.cgroupDriver == .systemd
                            ? "/sys/fs/cgroup/system.slice/apus-ID.scope" : "/sys/fs/cgroup/ID"
                    ],
                    legacy: []
                )
        )
    }

    static func plan(_ name: String) throws -> LaunchPlan {
        let (c, base, isHybrid) = try parse(name)
        return try plan(c, request(c, base), isHybrid: isHybrid)
    }

    private static func parse(_ name: String) throws -> (ContainerConfiguration, base: String, isHybrid: Bool) {
        let isHybrid = name.hasSuffix(hybrid)
        let base = isHybrid ? String(name.dropLast(hybrid.count)) : name
        return (try configuration(base + ".json"), base, isHybrid)
    }

    /// As `explain` prints it.
    static func text(_ name: String) throws -> String {
        let (c, _, _) = try parse(name)
        return ExplainText.text(of: Explain.sections(c, try plan(name)), .text)
    }

    static let updatesGoldens = ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDENS"] == "1"

    /// Compares with a file of the source tree, or writes it when asked to.
    static func expect(_ text: String, isIn path: String) throws {
        let file = top.appending(path: path)
        if updatesGoldens {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        let kept = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        #expect(text == kept, "\(path) is not what the lists say: read the difference, then set APUS_UPDATE_GOLDENS=1")
    }
}
