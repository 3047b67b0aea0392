// The criu that is installed: found, and asked for its version before anything is made.

package import Diagnostics
package import KernelTypes
internal import Launch
package import LinuxSystem

/// criu on this machine.
package struct CRIUProgram: Sendable {
    /// Older ones know neither the freezer of cgroup v2 nor pid namespaces that are joined.
    package static let oldest = CRIUVersion(3, 15)

    package let path: String
    package let version: CRIUVersion

    /// Finds criu.
    /// - Parameter name: A path, or a name to be found in `PATH`.
    /// - Throws: When there is none, it does not run, or it is too old.
    package init(_ name: String) throws(Failure) {
        let environment = HostProgram.inheritedEnvironment
        do throws(Failure) {
            path = try ExecutableLookup.find(name, environment: environment)
        } catch {
            throw Failure(
                "criu, which does the work, is not there: \(error.action)",
                hint: "install criu \(Self.oldest) or later (Debian: apt-get install criu)"
            )
        }
        let answer = try CRIUProcess(path: path, .version).finish()
        guard let version = answer.version else { throw Failure("\(path) does not say its version") }
        guard version >= Self.oldest else {
            throw Failure("\(path) is criu \(version), which is too old", hint: "install criu \(Self.oldest) or later")
        }
        self.version = version
    }

    /// Starts criu with one request.
    /// - Parameters:
    ///   - namespaces: Made new for criu itself.
    ///   - cgroup: The v2 cgroup that it is born in.
    ///   - prepare: Performed by the new process before it becomes criu.
    package func start(
        _ request: CRIURequest,
        namespaces: [NamespaceKind] = [],
        cgroup: BorrowedFD? = nil,
        prepare: () throws(Failure) -> Void = {}
    ) throws(Failure) -> CRIUProcess {
        try CRIUProcess(path: path, request, namespaces: namespaces, cgroup: cgroup, prepare: prepare)
    }

    /// - Throws: When criu cannot see on this kernel which pages change, which a pre-dump is of no use without.
    package func checkMemoryTracking() throws(Failure) {
        guard try start(.memoryTracking).finish().tracksMemory else {
            throw Failure("this kernel does not track changes of memory, without which a pre-dump is of no use")
        }
    }
}
