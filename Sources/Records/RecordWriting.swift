// A record as JSON, member by member: a first Codable encoding costs a quarter of a millisecond of metadata, and every
// create pays it. A test holds reading and writing together.

internal import JSON

extension ContainerRecord {
    /// The document that `JSONDecoder` reads back as the same record.
    var document: [UInt8] {
        let size = annotations.reduce(2048) { $0 + $1.key.utf8.count + $1.value.utf8.count + 24 }
        let writer = JSONWriter(expecting: size)
        writer.beginObject()
        writer.member("layout", layout)
        writer.member("id", id)
        writer.member("ociVersion", ociVersion)
        writer.member("bundle", bundle)
        writer.member("rootfs", rootfs)
        writer.member("created", created)
        writer.member("owner", owner)
        writer.member("bootID", bootID)
        writer.name("cgroups")
        cgroups.write(to: writer)
        writer.member("ownsPIDNamespace", ownsPIDNamespace)
        writer.member("hasProcess", hasProcess)
        if let keepsKeyring { writer.member("keepsKeyring", keepsKeyring) }
        if let notifySocket { writer.member("notifySocket", notifySocket) }
        writer.array("annotations", annotations) { annotation in
            writer.beginObject()
            writer.member("key", annotation.key)
            writer.member("value", annotation.value)
            writer.end()
        }
        writer.array("poststart", poststart) { $0.write(to: writer) }
        writer.array("poststop", poststop) { $0.write(to: writer) }
        writer.end()
        return writer.bytes
    }
}

extension StoredPlacement {
    fileprivate func write(to writer: JSONWriter) {
        writer.beginObject()
        writer.member("mode", mode)
        writer.member("isRootless", isRootless)
        if let scope {
            writer.name("scope")
            writer.beginObject()
            writer.member("unit", scope.unit)
            writer.member("slice", scope.slice)
            if let user = scope.user { writer.member("user", user) }
            writer.end()
        }
        writer.array("locations", locations) { location in
            writer.beginObject()
            writer.member("hierarchy", location.hierarchy)
            writer.member("mountPoint", location.mountPoint)
            writer.member("path", location.path)
            writer.member("missingParents", location.missingParents)
            writer.end()
        }
        writer.end()
    }
}

extension StoredHook {
    fileprivate func write(to writer: JSONWriter) {
        writer.beginObject()
        writer.member("path", path)
        writer.array("arguments", arguments) { writer.string($0) }
        if let environment { writer.array("environment", environment) { writer.string($0) } }
        if let timeoutSeconds { writer.member("timeoutSeconds", timeoutSeconds) }
        writer.end()
    }
}

extension JSONWriter {
    fileprivate func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    fileprivate func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        integer(Int64(value))
    }

    fileprivate func member(_ name: String, _ value: Bool) {
        self.name(name)
        boolean(value)
    }

    fileprivate func array<Element>(_ name: String, _ elements: [Element], _ write: (Element) -> Void) {
        self.name(name)
        beginArray()
        for element in elements { write(element) }
        end()
    }
}
