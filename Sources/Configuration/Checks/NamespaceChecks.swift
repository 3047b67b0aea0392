// `linux.namespaces`, and what needs a namespace of a certain kind: id mappings and clock offsets.

import KernelTypes
import OCISpec

extension Validator {
    static func namespaces(_ linux: Linux) throws(ConfigurationProblem) -> NamespaceConfiguration {
        var namespaces = NamespaceConfiguration()
        let place = Place(keyPath: "linux.namespaces")
        for (index, namespace) in (linux.namespaces ?? []).enumerated() {
            let place = place.element(index)
            guard let kind = NamespaceKind(rawValue: namespace.type) else {
                let kinds = NamespaceKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw place.member("type").expected("one of \(kinds)", found: quoted(namespace.type))
            }
            guard !namespaces.isSeparate(kind) else {
                throw place.member("type").problem(
                    "duplicated ns: a namespace of type \(kind.rawValue) is listed before"
                )
            }
            if let path = namespace.path, !path.isEmpty {
                let path = try place.member("path").absolutePath(path)
                namespaces.joined.append(NamespaceConfiguration.Joined(kind: kind, path: path))
            } else {
                namespaces.created.append(kind)
            }
        }
        return namespaces
    }

    /// Mappings of a namespace that is joined describe it; whether they are its own is checked by whoever opens it.
    static func addUserNamespace(_ linux: Linux, to container: inout ContainerConfiguration)
        throws(ConfigurationProblem)
    {
        let place = Place.document.member("linux")
        let uidPlace = place.member("uidMappings")
        let gidPlace = place.member("gidMappings")
        let uids = try idMappings(linux.uidMappings, at: uidPlace)
        let gids = try idMappings(linux.gidMappings, at: gidPlace)
        if uids.isEmpty && gids.isEmpty {
            guard !container.namespaces.creates(.user) else {
                throw place.problem(
                    "user namespaces enabled, but no namespace path to join nor mappings to apply specified; "
                        + "expected uidMappings and gidMappings"
                )
            }
            return
        }
        guard container.namespaces.isSeparate(.user) else {
            throw (uids.isEmpty ? gidPlace : uidPlace).problem(
                "user namespace mappings specified, but user namespace isn't enabled in the config; "
                    + "expected one of type user in linux.namespaces"
            )
        }
        guard !uids.isEmpty else {
            throw uidPlace.problem("expected at least one mapping, since there are mappings in linux.gidMappings")
        }
        guard !gids.isEmpty else {
            throw gidPlace.problem("expected at least one mapping, since there are mappings in linux.uidMappings")
        }
        container.uidMappings = uids
        container.gidMappings = gids
    }

    static func addTimeOffsets(_ linux: Linux, to container: inout ContainerConfiguration) throws(ConfigurationProblem)
    {
        guard let offsets = linux.timeOffsets, !offsets.isEmpty else { return }
        let place = Place(keyPath: "linux.timeOffsets")
        guard container.namespaces.isSeparate(.time) else {
            throw place.problem(
                "time namespace offsets specified, but time namespace isn't enabled in the config; "
                    + "expected one of type time in linux.namespaces"
            )
        }
        guard container.namespaces.creates(.time) else {
            throw place.problem(
                "time namespace enabled, but both namespace path and time offsets specified -- "
                    + "you may only provide one"
            )
        }
        for (clock, offset) in offsets {
            guard clock == "monotonic" || clock == "boottime" else {
                throw place.expected("the clocks monotonic and boottime", found: quoted(clock))
            }
            let nanoseconds = try place.member(clock).member("nanosecs").number(
                offset.nanosecs ?? 0,
                in: 0...999_999_999
            )
            container.timeOffsets.append(
                TimeOffset(clock: clock, seconds: offset.secs ?? 0, nanoseconds: nanoseconds)
            )
        }
    }
}
