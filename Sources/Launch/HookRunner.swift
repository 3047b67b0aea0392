// Hooks: programs that get the container's state on standard input. Runtime-spec: config.md, POSIX-platform Hooks;
// the state's form: runtime.md, State. Called by the runtime (also by start and delete) and by init.

package import Configuration
package import Diagnostics
internal import JSON
internal import LinuxSystem

/// What a hook is told of its container.
package struct HookState: Sendable {
    package var ociVersion: String
    package var id: String
    package var bundle: String
    /// In document order.
    package var annotations: [Annotation]

    package init(ociVersion: String, id: String, bundle: String, annotations: [Annotation]) {
        self.ociVersion = ociVersion
        self.id = id
        self.bundle = bundle
        self.annotations = annotations
    }

    /// The state document.
    /// - Parameter pid: As the hook's own pid namespace sees it; `nil` for a container that has no process.
    package func document(status: String, pid: Int32?) -> [UInt8] {
        let writer = JSONWriter()
        writer.beginObject()
        write(status: status, pid: pid, to: writer)
        writer.end()
        return writer.bytes
    }

    func write(status: String, pid: Int32?, to writer: JSONWriter) {
        writer.name("ociVersion")
        writer.string(ociVersion)
        writer.name("id")
        writer.string(id)
        writer.name("status")
        writer.string(status)
        if let pid {
            writer.name("pid")
            writer.integer(pid)
        }
        writer.name("bundle")
        writer.string(bundle)
        guard !annotations.isEmpty else { return }
        writer.name("annotations")
        writer.beginObject()
        for annotation in annotations {
            writer.name(annotation.key)
            writer.string(annotation.value)
        }
        writer.end()
    }
}

extension HookState {
    init(_ configuration: ContainerConfiguration, _ request: LaunchRequest) {
        self.init(
            ociVersion: configuration.ociVersion,
            id: request.id,
            bundle: request.bundle,
            annotations: configuration.annotations
        )
    }
}

/// Running hooks.
package enum HookRunner {
    /// Runs one hook to its end: in the bundle, as runc and crun do; one of the container's programs where init is.
    /// - Parameter pid: As the hook's own pid namespace sees it; `nil` for a container that has no process.
    /// - Throws: When it cannot be started, fails, or outlives its time.
    package static func run(
        _ hook: Hook,
        _ point: HookPoint,
        index: Int,
        of container: HookState,
        status: String,
        pid: Int32?,
        environment: [String] = HostProgram.inheritedEnvironment
    ) throws(Failure) {
        let name = "\(point.rawValue) hook #\(index)"
        let outcome: HostProgram.Outcome
        do throws(Failure) {
            outcome = try HostProgram.run(
                hook.path,
                arguments: hook.arguments.isEmpty ? [hook.path] : hook.arguments,
                environment: hook.environment ?? environment,
                input: container.document(status: status, pid: pid),
                timeoutSeconds: hook.timeoutSeconds,
                directory: point == .startContainer ? nil : container.bundle
            )
        } catch {
            throw Failure("error running \(name): \(error.line)", .hookFailed, subject: hook.path, hint: error.advice)
        }
        if outcome.status == .exited(0) { return }
        if outcome.status == nil, let limit = hook.timeoutSeconds {
            throw Failure(
                "error running \(name): \(hook.path): hook ran past specified timeout of \(limit)s",
                .hookFailed,
                subject: hook.path
            )
        }
        throw Failure("error running \(name): \(hook.path): \(outcome.text)", .hookFailed, subject: hook.path)
    }
}
