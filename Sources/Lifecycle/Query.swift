// `state` and `list`: what is known of containers. Readers take no lock: a record is replaced as a whole.

package import Configuration
package import Diagnostics
internal import LinuxSystem
package import OCISpec
internal import Records

/// What is known of one container.
package struct ContainerSummary: Sendable {
    package let ociVersion: String
    package let id: String
    /// 0 when it has no process.
    package let pid: CInt
    package let status: ContainerStatus
    package let bundle: String
    package let rootfs: String
    /// RFC 3339, UTC.
    package let created: String
    package let annotations: [Annotation]
    package let owner: UInt32
}

/// Reading commands.
package enum Query {
    /// The state of one container.
    package static func state(id: String, _ context: RuntimeContext) throws(Failure) -> ContainerSummary {
        let directory = try context.open(id, lock: nil)
        guard let summary = try summary(directory, context) else {
            // Either it is being made just now, or its making was cut off before the first word.
            throw Failure(
                "container \(id) does not exist yet: its creation has not come to its first record",
                .wrongState,
                subject: id
            )
        }
        return summary
    }

    /// All containers, by id. One that goes while this reads is left out; one that cannot be read is a warning.
    package static func list(_ context: RuntimeContext) throws(Failure) -> [ContainerSummary] {
        var summaries: [ContainerSummary] = []
        for id in try context.stateRoot.identifiers() {
            do throws(Failure) {
                guard let directory = try context.openIfPresent(id, lock: nil) else { continue }
                if let summary = try summary(directory, context) { summaries.append(summary) }
            } catch {
                context.log.warning(error.line)
            }
        }
        return summaries
    }

    private static func summary(
        _ directory: ContainerDirectory,
        _ context: RuntimeContext
    ) throws(Failure) -> ContainerSummary? {
        guard let record = try context.record(in: directory) else { return nil }
        let status = try context.status(of: record, in: directory, isLocked: false)
        return ContainerSummary(
            ociVersion: record.ociVersion,
            id: record.id,
            pid: status == .stopped ? 0 : record.pid,
            status: status,
            bundle: record.bundle,
            rootfs: record.rootfs,
            created: record.created,
            annotations: record.annotations.map { Annotation(key: $0.key, value: $0.value) },
            owner: record.owner
        )
    }
}
