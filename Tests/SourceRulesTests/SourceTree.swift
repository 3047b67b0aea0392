// The source tree as these tests see it: files with their lines, comments and string contents taken out where a rule
// is about code alone.

import Foundation

/// One source file.
struct SourceFile {
    /// From the top of the tree: `Sources/Launch/Birth.swift`.
    let path: String
    let lines: [String]

    /// The target's folder: `Launch`.
    var room: String { String(path.split(separator: "/")[1]) }

    /// The lines without comments and without what string literals say, each with its number from 1.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { ($0.offset + 1, Self.codeOnly($0.element)) }
    }

    private static func codeOnly(_ line: String) -> String {
        var text = line.replacingOccurrences(of: #""(\\.|[^"\\])*""#, with: "\"\"", options: .regularExpression)
        if let comment = text.range(of: "//") { text = String(text[..<comment.lowerBound]) }
        // Inside a string literal of several lines, only text stands; none of it begins with a keyword of the rules.
        return text
    }
}

enum SourceTree {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let sources = files(below: "Sources", endings: ["swift"])
    static let tests = files(below: "Tests", endings: ["swift", "c"])
    static let c = files(below: "Sources", endings: ["c", "h"])

    static func files(below folder: String, endings: [String]) -> [SourceFile] {
        let base = top.appending(path: folder)
        let paths = (FileManager.default.subpaths(atPath: base.path) ?? []).sorted()
        return paths.filter { path in endings.contains { path.hasSuffix("." + $0) || path.hasSuffix("/" + $0) } }
            .compactMap { path in
                guard let text = try? String(contentsOf: base.appending(path: path), encoding: .utf8) else {
                    return nil
                }
                var lines = text.components(separatedBy: "\n")
                if lines.last == "" { lines.removeLast() }
                return SourceFile(path: "\(folder)/\(path)", lines: lines)
            }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: top.appending(path: path), encoding: .utf8)
    }
}
