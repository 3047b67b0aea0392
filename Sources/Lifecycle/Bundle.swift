// A bundle: a directory with a config.json and, usually, a root filesystem. Read once, at create; what changes in it
// later does not matter. Runtime-spec: bundle.md.

internal import Configuration
package import Diagnostics
internal import JSON
internal import LinuxSystem
internal import Records

/// An opened bundle.
struct Bundle {
    /// Absolute.
    let path: String
    /// config.json as it was read.
    let bytes: [UInt8]
    let configuration: ContainerConfiguration

    private static let maximumConfigurationSize = 64 << 20

    /// Reads and checks the bundle at `path`; nothing is made.
    /// - Parameters:
    ///   - configFile: Instead of the bundle's own config.json.
    ///   - filters: Where compiled filters are kept; `nil` if the filter is not going to be used.
    init(
        at path: String,
        configFile: String?,
        facts: HostFacts,
        filters: StateRoot? = nil,
        _ log: Log
    ) throws(Failure) {
        let absolute = try AbsolutePath.of(path)
        self.path = absolute
        let file = try configFile.map { file throws(Failure) in try AbsolutePath.of(file) } ?? "\(absolute)/config.json"
        bytes = try Self.read(file, bundle: absolute, log)
        let document = try Self.decode(bytes, file, filters, log)
        configuration = try Self.check(document, file, bundle: absolute, facts, log)
    }

    private static func decode(
        _ bytes: [UInt8],
        _ file: String,
        _ filters: StateRoot?,
        _ log: Log
    ) throws(Failure) -> ConfigurationDocument {
        log.begin(act: "decodeConfig", file)
        defer { log.end(.runtime) }
        do throws(JSONError) {
            return try ConfigurationDocument(bytes, filters: filters)
        } catch {
            throw Failure("\(file): \(error)", .configInvalid, subject: file)
        }
    }

    private static func check(
        _ document: ConfigurationDocument,
        _ file: String,
        bundle: String,
        _ facts: HostFacts,
        _ log: Log
    ) throws(Failure) -> ContainerConfiguration {
        log.begin(act: "checkConfig")
        defer { log.end(.runtime) }
        do throws(ConfigurationProblem) {
            return try document.configuration(bundle: bundle, facts)
        } catch {
            throw Failure("\(file): \(error)", .configInvalid, subject: error.keyPath.isEmpty ? file : error.keyPath)
        }
    }

    private static func read(_ file: String, bundle: String, _ log: Log) throws(Failure) -> [UInt8] {
        log.begin(act: "readConfig", file)
        defer { log.end(.runtime) }
        let facts: FileFacts
        do throws(Errno) {
            facts = try BorrowedFD.workingDirectory.facts(of: bundle, following: true)
        } catch {
            throw Failure("open the bundle \(bundle)", .open, error, subject: bundle)
        }
        guard facts.kind == .directory else {
            throw Failure("open the bundle \(bundle): it is not a directory", .configInvalid, subject: bundle)
        }
        do throws(Errno) {
            let config = try BorrowedFD.workingDirectory.open(file, [.readOnly, .nonBlocking])
            let facts = try config.borrowed.facts()
            let kind = facts.kind
            if kind == .directory { throw .EISDIR }
            if kind != .regular && kind != .fifo { throw .ENOTSUP }
            try config.borrowed.setNonBlocking(false)
            return try config.borrowed.readToEnd(limit: maximumConfigurationSize, expecting: facts.size)
        } catch .EOVERFLOW {
            throw Failure(
                "read \(file): it is longer than \(maximumConfigurationSize >> 20) MiB",
                .configInvalid,
                subject: file
            )
        } catch .ENOTSUP {
            throw Failure(
                "read \(file): expected a file or a pipe, found something else",
                .configInvalid,
                subject: file
            )
        } catch .ENOENT {
            throw Failure(
                "read \(file)",
                .open,
                .ENOENT,
                subject: file,
                hint: "a bundle is a directory with a config.json: apus spec writes one"
            )
        } catch {
            throw Failure("read \(file)", .read, error, subject: file)
        }
    }

    /// The root filesystem must be there before anything is made.
    func checkRoot() throws(Failure) {
        let root = configuration.root.path
        let facts: FileFacts
        do throws(Errno) {
            facts = try BorrowedFD.workingDirectory.facts(of: root)
        } catch {
            throw Failure("open root.path \(root)", .open, error, subject: "root.path")
        }
        guard facts.kind != .symlink else {
            throw Failure(
                "root.path \(root): expected a directory, found a symbolic link",
                .configInvalid,
                subject: "root.path"
            )
        }
        guard facts.kind == .directory else {
            throw Failure("root.path \(root): expected a directory, found a file", .configInvalid, subject: "root.path")
        }
    }
}

/// Paths as the caller gave them, made absolute against the working directory.
package enum AbsolutePath {
    /// `path` from the root, without `.`, `..` and doubled slashes.
    package static func of(_ path: String) throws(Failure) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return LexicalPath.cleaned(path) }
        let here = try attempt("find the working directory", .getcwd) { () throws(Errno) in
            try WorkingDirectory.kernelPath()
        }
        return LexicalPath.joined(here, path)
    }
}
