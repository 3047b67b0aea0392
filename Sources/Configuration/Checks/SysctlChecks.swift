// Kernel parameters: only those of a namespace that is the container's own.

import KernelTypes
import OCISpec

extension Validator {
    static func sysctls(
        _ linux: Linux,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) -> [SysctlSetting] {
        guard let parameters = linux.sysctl else { return [] }
        var settings: [SysctlSetting] = []
        for (name, value) in parameters {
            let place = Place(keyPath: "linux.sysctl").member(name)
            guard let key = SysctlKey(name) else {
                throw place.problem(
                    "expected components that are not empty and neither . nor .., found \(quoted(name))"
                )
            }
            try checkNamespace(of: key, called: name, at: place, in: container)
            try place.wholeString(value)
            guard !settings.contains(where: { $0.path.utf8.elementsEqual(key.path.utf8) }) else {
                throw place.problem("expected each parameter once, found \(quoted(name)) in two spellings")
            }
            settings.append(SysctlSetting(path: key.path, value: value))
        }
        return settings
    }

    private static func checkNamespace(
        of key: SysctlKey,
        called name: String,
        at place: Place,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) {
        let kind = key.namespace
        if kind == .network, !container.namespaces.isSeparate(.network) {
            throw place.problem(
                "sysctl \(quoted(name)) not allowed in host network namespace; "
                    + "expected one of type network in linux.namespaces"
            )
        }
        guard let kind, container.namespaces.isSeparate(kind) else {
            let advice = kind.map { "; expected one of type \($0.rawValue) in linux.namespaces" } ?? ""
            throw place.problem("sysctl \(quoted(name)) is not in a separate kernel namespace\(advice)")
        }
        guard kind == .uts else { return }
        // A host name has its own field. A domain name may come either way, but not both.
        let field = key.components[1]
        guard field == "domainname" && container.domainname == nil else {
            throw place.problem(
                "sysctl \(quoted(name)) is not allowed as it conflicts with the OCI \(quoted(field)) field"
            )
        }
    }
}
