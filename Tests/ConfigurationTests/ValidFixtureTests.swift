// Every valid fixture becomes a container; a few are looked at closely.

import Configuration
import KernelTypes
import Testing

@Suite("Valid configurations")
struct ValidFixtureTests {
    /// Valid documents that ask for what is not built yet, and what is said about them.
    static let unsupported = [
        "resources-full.json": "linux.intelRdt: cache and memory bandwidth allocation is not supported"
    ]

    @Test(arguments: Fixtures.names(in: "valid"))
    func validates(name: String) throws {
        let bytes = try Fixtures.bytes(of: "valid/\(name)")
        guard let message = Self.unsupported[name] else {
            let container = try Fixtures.configuration(of: bytes)
            #expect(container.root.path == "/bundle/rootfs")
            return
        }
        let problem = #expect(throws: ConfigurationProblem.self) { try Fixtures.configuration(of: bytes) }
        #expect(problem?.description == message)
    }
}
