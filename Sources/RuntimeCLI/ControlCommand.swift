// What the verbs that look at and change a living container are asked for: ps, update, events. The other options are
// in Command.swift.

package import OCISpec

/// Which processes to print, and how.
package struct PsOptions: Equatable, Sendable {
    package var id: String
    package var format: ListFormat = .table
    /// For the host's `ps`.
    package var arguments: [String] = []

    package init(_ id: String) {
        self.id = id
    }
}

/// Which limits to change.
package struct UpdateOptions: Equatable, Sendable {
    package enum Source: Equatable, Sendable {
        /// A file with the members of `linux.resources`; `-` is standard input.
        case file(String)
        /// Options, one a limit.
        case options(Resources)
    }

    package var id: String
    package var source: Source

    package init(_ id: String, _ source: Source) {
        self.id = id
        self.source = source
    }
}

/// What `events` prints, and when.
package struct EventsOptions: Equatable, Sendable {
    package var id: String
    /// Between two statistics, in nanoseconds.
    package var interval: Int64 = 5_000_000_000
    /// Print statistics once, and end.
    package var once = false

    package init(_ id: String) {
        self.id = id
    }
}
