// The configuration that a container was created with, for the commands that come later: the bundle's may have changed.

internal import Configuration
internal import Diagnostics
internal import JSON
internal import OCISpec
internal import Records

/// Reading a container's own copy of its config.json.
enum KeptConfiguration {
    static func read(
        _ directory: ContainerDirectory,
        _ record: ContainerRecord,
        _ facts: HostFacts
    ) throws(Failure) -> (spec: RuntimeSpec, configuration: ContainerConfiguration) {
        let bytes = try directory.readConfiguration()
        let spec: RuntimeSpec
        do throws(JSONError) {
            spec = try JSONDecoder().decode(RuntimeSpec.self, from: bytes)
        } catch {
            throw Failure("\(directory.path)/config.json: \(error)", .stateDamaged, subject: record.id)
        }
        do throws(ConfigurationProblem) {
            return (spec, try Validator.configuration(from: spec, bundle: record.bundle, facts: facts))
        } catch {
            throw Failure("\(directory.path)/config.json: \(error)", .stateDamaged, subject: record.id)
        }
    }
}
