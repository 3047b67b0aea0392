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

    /// The namespaces of a container's process to be entered: those that are not this one's own.
    /// - Parameter made: The ones that were made for the container, which are not looked at: they are others than the
    ///   runtime's, or it is called from inside of them, and then entering them changes nothing. But who is in a user
    ///   namespace cannot enter it.
    package static func kinds(of pid: CInt, made: [NamespaceKind]) throws(Failure) -> [NamespaceKind] {
        var kinds: [NamespaceKind] = []
        for kind in NamespaceKind.allCases {
            if kind != .user && made.contains(kind) {
                kinds.append(kind)
            } else if try name(kind, in: "/proc/self/ns") != name(kind, in: "/proc/\(pid)/ns") {
                kinds.append(kind)
            }
        }
        return kinds
    }

    /// `net:[4026531840]`; `nil` where this kernel has none. The link's text says as much as the inode that it leads to,
    /// without making that.
    private static func name(_ kind: NamespaceKind, in path: String) throws(Failure) -> String? {
        do throws(Errno) {
            return try BorrowedFD.workingDirectory.readLink("\(path)/\(kind.procName)")
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("look at the namespace \(path)/\(kind.procName)", .readlink, error)
        }
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
