// Which documents are accepted at all: the version of the specification, the platform, and what is not built.

import OCISpec

extension Validator {
    static func version(of spec: RuntimeSpec) throws(ConfigurationProblem) -> SpecVersion {
        let place = Place.document.member("ociVersion")
        guard let version = SpecVersion(spec.ociVersion) else {
            throw place.expected("a version such as \(SpecVersion.current)", found: quoted(spec.ociVersion))
        }
        guard version.isAccepted else {
            throw place.expected("a version from 1.0.0 up to but not 2.0.0", found: quoted(spec.ociVersion))
        }
        return version
    }

    /// A bundle may carry sections for several platforms; those of others have no effect here.
    static func platformWarnings(_ spec: RuntimeSpec) -> [String] {
        spec.otherPlatforms.map { "\($0): the section is for another platform and has no effect" }
    }

    static func checkUnsupportedFeatures(_ linux: Linux) throws(ConfigurationProblem) {
        let place = Place.document.member("linux")
        if linux.intelRdt != nil {
            throw place.member("intelRdt").problem("cache and memory bandwidth allocation is not supported")
        }
    }

    static func addAnnotations(_ spec: RuntimeSpec, to container: inout ContainerConfiguration)
        throws(ConfigurationProblem)
    {
        guard let annotations = spec.annotations else { return }
        for (key, value) in annotations {
            guard !key.isEmpty else {
                throw Place.document.member("annotations").expected("names that are not empty", found: quoted(key))
            }
            container.annotations.append(Annotation(key: key, value: value))
        }
    }
}
