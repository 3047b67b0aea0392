// What the caller wants, as values: one case a verb, with its options typed. Made by Invocation; carried out by the
// verbs. Nothing here reads the words.

package import Lifecycle

/// What was asked for.
package enum Command: Equatable, Sendable {
    case create(CreateOptions, id: String)
    case run(RunOptions, id: String)
    case exec(ExecOptions)
    case start(id: String)
    case state(id: String)
    case kill(KillOptions)
    case delete(DeleteOptions)
    case list(ListOptions)
    case pause(id: String)
    case resume(id: String)
    case ps(PsOptions)
    case update(UpdateOptions)
    case events(EventsOptions)
    case checkpoint(CheckpointSettings, id: String)
    case restore(RunOptions, CheckpointSettings, id: String)
    case spec(SpecOptions)
    case explain(ExplainOptions)
    case features
    /// Print the version.
    case version
    /// Print this text: help, the manual page or a completion script.
    case text(String)
}

/// How to create a container. An option given with an empty value counts as not given.
package struct CreateOptions: Equatable, Sendable {
    /// The bundle directory; it may be relative to the working directory.
    package var bundle = "."
    /// Instead of `config.json` in the bundle.
    package var configFile: String?
    package var pidFile: String?
    package var consoleSocket: String?
    package var pidfdSocket: String?
    /// How many descriptors to pass on, from 3 on: 0...2147483647.
    package var preserveFDs = 0
    package var noPivot = false
    package var noNewKeyring = false
    package var noSubreaper = false

    package init() {}
}

/// How to run a container.
package struct RunOptions: Equatable, Sendable {
    package var create = CreateOptions()
    /// Return once the program runs.
    package var detach = false
    /// Leave the container there when it ends.
    package var keep = false

    package init() {}
}

/// The containers that a verb is about.
package enum ContainerSelection: Equatable, Sendable {
    /// One or more, in the order given.
    case ids([String])
    /// All whose id matches a POSIX extended regular expression, anywhere in the id.
    case matching(String)
}

/// Which signal to send, and to whom.
package struct KillOptions: Equatable, Sendable {
    package var containers: ContainerSelection
    /// As written: a name with or without `SIG`, or a number.
    package var signal = "TERM"
    /// All processes of the container, not only its init.
    package var all = false

    package init(_ containers: ContainerSelection) {
        self.containers = containers
    }
}

/// What to delete.
package struct DeleteOptions: Equatable, Sendable {
    package var containers: ContainerSelection
    /// Kill what runs, and do not mind what does not exist.
    package var force = false

    package init(_ containers: ContainerSelection) {
        self.containers = containers
    }
}

/// How `list` prints.
package enum ListFormat: String, Sendable, CaseIterable {
    case table, json
}

/// What `list` prints.
package struct ListOptions: Equatable, Sendable {
    package var format: ListFormat = .table
    /// Ids only, whatever the format.
    package var quiet = false

    package init() {}
}

/// Where to write a configuration, and for whom.
package struct SpecOptions: Equatable, Sendable {
    /// The bundle directory; it may be relative to the working directory.
    package var bundle = "."
    /// Instead of `config.json` in the bundle.
    package var file: String?
    package var rootless = false

    package init() {}
}

/// How `explain` prints.
package enum ExplainFormat: String, Sendable, CaseIterable {
    case text, json
}

/// Which steps to print.
package struct ExplainOptions: Equatable, Sendable {
    /// The bundle directory; it may be relative to the working directory.
    package var bundle = "."
    /// Instead of `config.json` in the bundle.
    package var configFile: String?
    package var format: ExplainFormat = .text

    package init() {}
}

/// A shell with a completion script.
enum Shell: String, Sendable, CaseIterable {
    case bash, zsh, fish
}
