// The host name and the NIS domain name. See sethostname(2), setdomainname(2).

import KernelTypes
import OCISpec

extension Validator {
    /// The kernel's `__NEW_UTS_LEN`, in bytes.
    private static let longestName = 64

    static func addHostname(_ spec: RuntimeSpec, to container: inout ContainerConfiguration)
        throws(ConfigurationProblem)
    {
        container.hostname = try name(spec.hostname, of: "hostname", in: container)
        container.domainname = try name(spec.domainname, of: "domainname", in: container)
    }

    /// Returns the checked name; an empty one is as good as none.
    private static func name(
        _ name: String?,
        of key: String,
        in container: ContainerConfiguration
    ) throws(ConfigurationProblem) -> String? {
        guard let name, !name.isEmpty else { return nil }
        let place = Place.document.member(key)
        try place.wholeString(name)
        guard container.namespaces.isSeparate(.uts) else {
            throw place.problem(
                "unable to set \(key) without a private UTS namespace; expected one of type uts in linux.namespaces"
            )
        }
        guard name.utf8.count <= longestName else {
            throw place.expected("at most \(longestName) bytes", found: "\(name.utf8.count)")
        }
        return name
    }
}
