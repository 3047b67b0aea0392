// How `list` and `state` print containers. The keys, their order and the table's columns are runc's, because scripts
// and engines read them. Called by the two verbs with what Lifecycle knows; returns text.

internal import JSON
package import OCISpec

/// One container as `list` and `state` show it.
package struct ContainerListing: Equatable, Sendable {
    package var ociVersion: String
    package var id: String
    /// As the caller sees it; 0 when there is no process.
    package var pid: Int
    package var status: ContainerStatus
    /// An absolute path.
    package var bundle: String
    /// An absolute path.
    package var rootfs: String
    /// RFC 3339 with nanoseconds, in UTC.
    package var created: String
    package var annotations: OrderedMap<String>
    /// The name of the user who created it; empty in `state`, as in runc.
    package var owner: String

    package init(
        ociVersion: String,
        id: String,
        pid: Int,
        status: ContainerStatus,
        bundle: String,
        rootfs: String,
        created: String,
        annotations: OrderedMap<String>,
        owner: String
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.pid = pid
        self.status = status
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.annotations = annotations
        self.owner = owner
    }
}

/// The output of `list` and `state`.
package enum Listing {
    /// What `list` prints.
    package static func text(of containers: [ContainerListing], _ options: ListOptions) -> String {
        if options.quiet { return containers.map { $0.id + "\n" }.joined() }
        switch options.format {
        case .table: return table(containers)
        case .json:
            let writer = JSONWriter()
            writer.beginArray()
            for container in containers { write(container, to: writer) }
            writer.end()
            return String(decoding: writer.bytes, as: UTF8.self) + "\n"
        }
    }

    /// What `state` prints: one object, without a line break at the end.
    package static func text(of container: ContainerListing) -> String {
        let writer = JSONWriter(indent: "  ")
        write(container, to: writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ container: ContainerListing, to writer: JSONWriter) {
        func member(_ name: String, _ value: String) {
            writer.name(name)
            writer.string(value)
        }
        writer.beginObject()
        member("ociVersion", container.ociVersion)
        member("id", container.id)
        writer.name("pid")
        writer.integer(container.pid)
        member("status", container.status.rawValue)
        member("bundle", container.bundle)
        member("rootfs", container.rootfs)
        member("created", container.created)
        if !container.annotations.isEmpty {
            writer.name("annotations")
            writer.beginObject()
            for (key, value) in container.annotations { member(key, value) }
            writer.end()
        }
        member("owner", container.owner)
        writer.end()
    }

    /// Columns are 12 wide, or as wide as their longest entry and 3 spaces; the last one is not filled up.
    private static func table(_ containers: [ContainerListing]) -> String {
        let rows =
            [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
            + containers.map { [$0.id, "\($0.pid)", $0.status.rawValue, $0.bundle, $0.created, $0.owner] }
        var widths = [12, 12, 12, 12, 12]
        for row in rows {
            for (column, width) in widths.enumerated() {
                widths[column] = max(width, row[column].unicodeScalars.count + 3)
            }
        }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.unicodeScalars.count) }.joined()
                + row[widths.count] + "\n"
        }.joined()
    }
}
