// `update`: other limits for a container that lives, all of them or none. What it has afterwards is in the kept
// config.json, for the commands that come later.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import JSON
internal import LinuxSystem
package import OCISpec
internal import Records

/// `update`.
package enum Update {
    /// Where the new limits stand.
    package enum Source {
        /// A file with the members of `linux.resources`; `-` is standard input.
        case file(String)
        /// - Parameter spelling: What the caller wrote for a key path such as `memory.limit`.
        case options(Resources, spelling: (String) -> String?)
    }

    private static let maximumSize = 16 << 20

    /// Changes limits of a created, running or paused container.
    package static func run(id: String, _ source: Source, _ context: RuntimeContext) throws(Failure) {
        let given = try read(source, context.log)
        let (directory, record) = try Pause.openForChange(id, context)
        let status = try context.status(of: record, in: directory, isLocked: true)
        guard status != .stopped && status != .creating else {
            throw Failure("container not running: \(id) is \(status.rawValue)", .wrongState, subject: id)
        }
        let kept = try directory.readConfiguration()
        let version = SpecVersion(record.ociVersion) ?? .current
        let change = try plan(given.withoutPlaceholders(version: version), over: kept, source, version, context.log)
        // Kept first: it can be put back whatever happens; of the limits the kernel's answer is not known before.
        try directory.replaceConfiguration(change.configuration)
        do throws(Failure) {
            context.log.begin(act: "setLimits")
            defer { context.log.end(.runtime) }
            let cgroup = record.cgroups.placement.makeManager()
            try cgroup.update(change.limits, devices: change.devices)
            for warning in cgroup.warnings { context.log.warning(warning) }
        } catch {
            let failure = error
            do throws(Failure) {
                try directory.replaceConfiguration(kept)
            } catch {
                throw failure.hinting("\(error.line): the new limits are recorded, although they are not set")
            }
            throw failure
        }
    }

    private static func plan(
        _ given: Resources,
        over kept: [UInt8],
        _ source: Source,
        _ version: SpecVersion,
        _ log: Log
    ) throws(Failure) -> Change {
        log.begin(act: "plan")
        defer { log.end(.runtime) }
        return try Change(given, over: kept, source, version)
    }

    /// What is to be done, checked.
    private struct Change {
        let limits: ResourceConfiguration
        let devices: DeviceChange?
        /// The kept config.json with the new limits.
        let configuration: [UInt8]

        init(_ given: Resources, over kept: [UInt8], _ source: Source, _ version: SpecVersion) throws(Failure) {
            var spec: RuntimeSpec
            do throws(JSONError) {
                spec = try JSONDecoder().decode(RuntimeSpec.self, from: kept)
            } catch {
                throw Failure("the container's kept config.json: \(error)", .stateDamaged)
            }
            let old = spec.linux?.resources ?? Resources()
            let new = old.overlaid(by: given)
            do throws(ConfigurationProblem) {
                let whole = try Validator.resources(new, at: .document, version: version)
                limits = whole.restricted(to: given)
                let before = try Validator.resources(old, at: Place(keyPath: "linux.resources"), version: version)
                devices = given.devices == nil ? nil : DeviceChange(from: before.devices, to: whole.devices)
            } catch {
                throw source.failure(error)
            }
            if spec.linux == nil { spec.linux = Linux() }
            spec.linux?.resources = new
            do throws(JSONError) {
                configuration = try JSONEncoder().encode(spec)
            } catch {
                throw Failure("write the container's limits as JSON: \(error)")
            }
        }
    }

    private static func read(_ source: Source, _ log: Log) throws(Failure) -> Resources {
        log.begin(act: "readLimits", source.name)
        defer { log.end(.runtime) }
        guard case .file(let path) = source else {
            if case .options(let resources, _) = source { return resources }
            return Resources()
        }
        let bytes = try attempt("read \(source.name)", .read) { () throws(Errno) in
            if path == "-" { return try BorrowedFD.standardInput.readToEnd(limit: maximumSize) }
            let file = try BorrowedFD.workingDirectory.open(path, .readOnly)
            return try file.borrowed.readToEnd(limit: maximumSize)
        }
        do throws(JSONError) {
            return try JSONDecoder().decode(Resources.self, from: bytes)
        } catch {
            throw Failure("\(source.name): \(error)", .configInvalid, subject: source.name)
        }
    }
}

extension Update.Source {
    /// In messages.
    fileprivate var name: String {
        guard case .file(let path) = self else { return "options" }
        return path == "-" ? "standard input" : path
    }

    /// A problem in the words of the one who gave the limits.
    fileprivate func failure(_ problem: ConfigurationProblem) -> Failure {
        switch self {
        case .file: return Failure("\(name): \(problem)", .configInvalid, subject: problem.keyPath)
        case .options(_, let spelling):
            guard let option = spelling(problem.keyPath) else {
                return Failure(problem.description, .configInvalid, subject: problem.keyPath)
            }
            return Failure("\(option): \(problem.message)", .usage, subject: option)
        }
    }
}
