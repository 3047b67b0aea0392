// A record from JSON, member by member; RecordWriting.swift is the other half.

package import JSON

extension ContainerRecord: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        layout = try members.required("layout")
        id = try members.required("id")
        ociVersion = try members.required("ociVersion")
        bundle = try members.required("bundle")
        rootfs = try members.required("rootfs")
        created = try members.required("created")
        owner = try members.required("owner")
        bootID = try members.required("bootID")
        cgroups = try members.required("cgroups")
        ownsPIDNamespace = try members.required("ownsPIDNamespace")
        hasProcess = try members.required("hasProcess")
        keepsKeyring = try members.optional("keepsKeyring")
        notifySocket = try members.optional("notifySocket")
        annotations = try members.requiredList("annotations")
        poststart = try members.requiredList("poststart")
        poststop = try members.requiredList("poststop")
    }
}

extension StoredAnnotation: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        key = try members.required("key")
        value = try members.required("value")
    }
}

extension StoredHook: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        path = try members.required("path")
        arguments = try members.requiredList("arguments")
        environment = try members.list("environment")
        timeoutSeconds = try members.optional("timeoutSeconds")
    }
}

extension StoredPlacement: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        mode = try members.required("mode")
        isRootless = try members.required("isRootless")
        scope = try members.optional("scope")
        locations = try members.requiredList("locations")
    }
}

extension StoredPlacement.Location: JSONReadable {
    init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        hierarchy = try members.required("hierarchy")
        mountPoint = try members.required("mountPoint")
        path = try members.required("path")
        missingParents = try members.required("missingParents")
    }
}

extension StoredPlacement.Scope: JSONReadable {
    init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        unit = try members.required("unit")
        slice = try members.required("slice")
        user = try members.optional("user")
    }
}
