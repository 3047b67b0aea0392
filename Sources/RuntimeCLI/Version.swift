// Which apus this is, as --version and features tell it. Changed by hand with each release.

internal import OCISpec

/// The version of apus.
package enum Version {
    /// Semantic Versioning 2.0.0.
    package static let number = "0.1.0"

    /// What `--version` prints.
    ///
    /// Docker takes the version from the one line that holds the word "version", so no other line may hold it.
    /// - Parameter libseccomp: The version of the library that is linked, such as `2.5.4`.
    package static func text(libseccomp: String) -> String {
        "apus version \(number)\nspec: \(SpecVersion.current)\nlibseccomp: \(libseccomp)\n"
    }
}
