// Writes JSON text, value by value, in the order it is told to: the same calls always give the same bytes.
// Called by JSONEncoder for Codable values, and directly where a few members are all there is (a log line).
// It never sorts, never escapes more than RFC 8259 demands, and never ends the text with a line break.

/// Writes one JSON document.
///
/// The caller keeps the grammar: inside an object each value follows its `name`, and every `begin` has its `end`.
package final class JSONWriter {
    /// The text so far, in UTF-8.
    package private(set) var bytes: [UInt8] = []

    /// What one level is indented by; nil puts everything on one line.
    private let indent: String?
    private var open: [Container] = []
    /// Whether a member name was written whose value is still to come.
    private var expectsValue = false

    private struct Container {
        var closing: UInt8
        var isEmpty = true
    }

    /// Creates a writer. With `indent` each member and element gets a line of its own, indented by that text per level.
    /// - Parameter size: How long the text is likely to become.
    package init(indent: String? = nil, expecting size: Int = 0) {
        self.indent = indent
        bytes.reserveCapacity(size)
    }

    /// The number of objects and arrays that are open.
    package var depth: Int { open.count }

    /// Opens an object.
    package func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        open.append(Container(closing: UInt8(ascii: "}")))
    }

    /// Opens an array.
    package func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        open.append(Container(closing: UInt8(ascii: "]")))
    }

    /// Closes the innermost object or array.
    package func end() {
        // A name without a value would not be JSON.
        if expectsValue { null() }
        guard let container = open.popLast() else { return }
        if !container.isEmpty { breakLine() }
        bytes.append(container.closing)
    }

    /// Writes the name of the next member of the open object.
    package func name(_ name: String) {
        if expectsValue { null() }
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if indent != nil { bytes.append(UInt8(ascii: " ")) }
        expectsValue = true
    }

    /// Writes a string.
    package func string(_ value: String) {
        separate()
        quote(value)
    }

    /// Writes an integer, in full.
    package func integer(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    /// The same, without the metadata that a first use of the generic one costs.
    package func integer(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var digits: [UInt8] = []
        var rest = value.magnitude
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes.append(contentsOf: digits.reversed())
    }

    /// Writes a number in the shortest form that reads back as the same value; null if it is not finite.
    package func number(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Writes true or false.
    package func boolean(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes null.
    package func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    // MARK: Layout

    /// Writes what stands between the last value or bracket and the next value or name.
    private func separate() {
        if expectsValue {
            expectsValue = false
            return
        }
        guard !open.isEmpty else { return }
        if !open[open.count - 1].isEmpty { bytes.append(UInt8(ascii: ",")) }
        open[open.count - 1].isEmpty = false
        breakLine()
    }

    private func breakLine() {
        guard let indent else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<open.count { bytes.append(contentsOf: indent.utf8) }
    }

    private func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if JSONPlainText.isAll(text.utf8.span) {
            // Nearly every text, and in one piece: byte by byte it takes twenty times as long.
            bytes.append(contentsOf: text.utf8)
        } else {
            bytes.append(contentsOf: Self.escaped(text))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0x00..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                bytes += (digits.utf8.count == 1 ? "\\u000" : "\\u00").utf8
                bytes += digits.utf8
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}
