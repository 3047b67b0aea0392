// How `explain` prints: numbered steps under a heading for each process, or the same as JSON. The golden files of the
// tests are this text.

internal import JSON
package import Lifecycle

/// The output of `explain`.
package enum ExplainText {
    /// The steps as text, or as JSON with a line break at its end.
    package static func text(of sections: [Explain.Section], _ format: ExplainFormat) -> String {
        switch format {
        case .text: sections.map(text).joined(separator: "\n")
        case .json: json(sections)
        }
    }

    private static func text(_ section: Explain.Section) -> String {
        var text = "\(section.command), \(section.process):\n"
        let width = String(section.lines.count).utf8.count
        for line in section.lines {
            let number = String(line.index)
            text += "  " + String(repeating: " ", count: width - number.utf8.count) + number + " " + line.name
            text += line.detail.isEmpty ? "\n" : " \(line.detail)\n"
        }
        return text
    }

    private static func json(_ sections: [Explain.Section]) -> String {
        let writer = JSONWriter(indent: "  ")
        writer.beginArray()
        for section in sections {
            writer.beginObject()
            writer.name("command")
            writer.string(section.command)
            writer.name("process")
            writer.string(section.process)
            writer.name("steps")
            writer.beginArray()
            for line in section.lines {
                writer.beginObject()
                writer.name("name")
                writer.string(line.name)
                writer.name("detail")
                writer.string(line.detail)
                writer.end()
            }
            writer.end()
            writer.end()
        }
        writer.end()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
