// Finds the files under spec-fixtures, wherever the tests are started from.

import Foundation

enum Fixtures {
    static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "spec-fixtures")

    /// The paths, relative to spec-fixtures, of all JSON files in `folder`.
    static func names(in folder: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(
            atPath: directory.appending(path: folder).path(percentEncoded: false)
        )
        return (files ?? []).filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: name)))
    }
}
