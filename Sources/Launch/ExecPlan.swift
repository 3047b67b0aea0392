// An exec as data: what each process will do, from the container's configuration with the new process in the place of
// its own. Pure, but for `ContainerEntry.kinds(of:)`, which looks at the running container.

package import Configuration
package import Confinement
package import Diagnostics
package import KernelTypes
internal import LinuxSystem

/// What a running container is, as far as entering it depends on that.
package struct ContainerEntry: Equatable, Sendable {
    /// The namespaces of its process that are not the runtime's own.
    package let kinds: [NamespaceKind]
    /// The cgroups to be in, as directories.
    package let cgroups: [String]
    /// Only somebody of the container's user namespace may enter its pid namespace, unless the runtime is root; and who
    /// entered that is not in it, only its children are.
    package let needsIntermediate: Bool

    /// Whether systemd puts the process into the cgroups, because the runtime may not.
    package let isPlacedBySystemd: Bool

    package init(kinds: [NamespaceKind], cgroups: [String], isPlacedBySystemd: Bool = false, _ facts: HostFacts) {
        self.kinds = kinds
        self.cgroups = cgroups
        self.isPlacedBySystemd = isPlacedBySystemd
        // Only a process that still is the runtime's user's can be moved by systemd.
        needsIntermediate = kinds.contains(.pid) && facts.effectiveUserID != 0 || isPlacedBySystemd
    }

    /// The namespaces of a process that are not this one's own.
    package static func kinds(of pid: CInt) throws(Failure) -> [NamespaceKind] {
        let own = try namespaces("/proc/self/ns")
        let other = try namespaces("/proc/\(pid)/ns")
        return NamespaceKind.allCases.enumerated().filter { own[$0.offset] != other[$0.offset] }.map(\.element)
    }

    /// `net:[4026531840]` for each kind; `nil` where this kernel has none. The links' texts say as much as the inodes that
    /// they lead to, without making those.
    private static func namespaces(_ path: String) throws(Failure) -> [String?] {
        let directory = try attempt("open \(path)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(path, [.path, .directory])
        }
        var names: [String?] = []
        for kind in NamespaceKind.allCases {
            do throws(Errno) {
                names.append(try directory.borrowed.readLink(kind.procName))
            } catch .ENOENT {
                names.append(nil)
            } catch {
                throw Failure("look at the namespace \(path)/\(kind.procName)", .readlink, error)
            }
        }
        return names
    }
}

/// The lists of one exec.
package struct ExecPlan: Equatable, Sendable {
    package let runtime: [ExecStep]
    /// Empty when there is no intermediate process.
    package let intermediate: [IntermediateStep]
    package let initial: [InitStep]
    /// What was asked for and cannot be had, one sentence each.
    package let warnings: [String]

    /// - Parameters:
    ///   - c: The container's, with the new process in the place of its own and without sysctls.
    ///   - capabilities: What the runtime could pass on.
    ///   - hardLimits: The runtime's own, by the kernel's number.
    /// - Throws: When something is asked for that this machine cannot do at all.
    package init(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ entry: ContainerEntry,
        _ r: LaunchRequest,
        capabilities: CapabilityFacts,
        hardLimits: [UInt64]
    ) throws(Failure) {
        let confinement = try LaunchPlan.confinement(
            c,
            f,
            r,
            capabilities,
            entersUserNamespace: entry.kinds.contains(.user)
        )
        let limits = LimitPlan(c, capabilities, hardLimits: hardLimits)
        runtime = Birth.execSteps(c, entry, r, limits)
        intermediate = Birth.execIntermediateSteps(c, entry)
        initial = Birth.execInitSteps(c, entry, r, limits, confinement)
        warnings = (confinement?.warnings ?? []) + limits.warnings
    }
}
