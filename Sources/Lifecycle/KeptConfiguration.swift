// The configuration that a container was created with, for the commands that come later: the bundle's may have changed.

internal import Configuration
internal import Diagnostics
internal import JSON
internal import OCISpec
internal import Records

/// Reading a container's own copy of its config.json.
enum KeptConfiguration {
    /// All of it.
    static func read(
        _ directory: ContainerDirectory,
        _ record: ContainerRecord,
        _ facts: HostFacts
    ) throws(Failure) -> ContainerConfiguration {
        try read(directory, record, facts, filters: nil, isMade: false).configuration
    }

    /// What a further process needs of it.
    /// - Parameter filters: Where compiled filters are kept.
    static func readForProcess(
        _ directory: ContainerDirectory,
        _ record: ContainerRecord,
        _ facts: HostFacts,
        filters: StateRoot
    ) throws(Failure) -> (spec: RuntimeSpec, configuration: ContainerConfiguration) {
        try read(directory, record, facts, filters: filters, isMade: true)
    }

    private static func read(
        _ directory: ContainerDirectory,
        _ record: ContainerRecord,
        _ facts: HostFacts,
        filters: StateRoot?,
        isMade: Bool
    ) throws(Failure) -> (spec: RuntimeSpec, configuration: ContainerConfiguration) {
        let bytes = try directory.readConfiguration()
        let document: ConfigurationDocument
        do throws(JSONError) {
            document = try ConfigurationDocument(bytes, filters: filters, isMade: isMade)
        } catch {
            throw Failure("\(directory.path)/config.json: \(error)", .stateDamaged, subject: record.id)
        }
        do throws(ConfigurationProblem) {
            return (document.spec, try document.configuration(bundle: record.bundle, facts))
        } catch {
            throw Failure("\(directory.path)/config.json: \(error)", .stateDamaged, subject: record.id)
        }
    }
}
