// Finds the fixtures in the source tree, and reads config.json documents as the runtime does.

import Configuration
import Foundation
import JSON
import OCISpec

enum Fixtures {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "spec-fixtures/config")

    /// The paths of the JSON files below `folder`, relative to it, in order.
    static func names(in folder: String) -> [String] {
        let base = root.appending(path: folder)
        let paths = FileManager.default.subpaths(atPath: base.path) ?? []
        return paths.filter { $0.hasSuffix(".json") }.sorted()
    }

    static func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: name)))
    }

    /// A machine on which every valid fixture is possible.
    static let facts = HostFacts(appArmorIsEnabled: true, seLinuxIsEnabled: true)

    static func configuration(
        of bytes: [UInt8],
        facts: HostFacts = facts
    ) throws -> ContainerConfiguration {
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
        return try Validator.configuration(from: spec, bundle: "/bundle", facts: facts)
    }
}
