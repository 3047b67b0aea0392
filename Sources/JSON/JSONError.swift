// The one error of the JSON module: where in the document, and what is wrong there.
// Thrown by the reader, the decoder and the encoder; whoever read the file shows it to the user behind the file's name.
// It never quotes the content of a string: env values and annotations may be secrets.

/// A JSON document that could not be read, decoded or written.
///
/// The description is one sentence without a final period, for example
/// `process.args[0]: expected a string, found a number (line 12, column 7)`.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The key path of the value at fault, such as `mounts[2].options[0]`; empty for the document as a whole.
    ///
    /// Names that are not plain words are written in brackets and quotes: `annotations["a b"]`.
    package var path: String

    /// The line of the value at fault, counted from 1; 0 if the error has no place in a text.
    package var line: Int

    /// The column of the value at fault, counted from 1 in Unicode scalars; 0 if the error has no place in a text.
    package var column: Int

    /// What was expected and what was found.
    package var message: String

    /// Creates an error from its parts.
    package init(path: String, line: Int = 0, column: Int = 0, message: String) {
        self.path = path
        self.line = line
        self.column = column
        self.message = message
    }

    /// The whole error in one sentence, without a final period.
    package var description: String {
        let place = line > 0 ? " (line \(line), column \(column))" : ""
        return path.isEmpty ? message + place : "\(path): \(message)\(place)"
    }
}
