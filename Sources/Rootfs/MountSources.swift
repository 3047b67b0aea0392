// Bind sources that the runtime process opens before init is born: what init, in a user namespace, may not reach, copy
// or map the ids of. Planned by RootfsPlan.sources, opened by the runtime, inherited by init across clone.

package import Configuration
package import Diagnostics
internal import KernelTypes
package import LinuxSystem

/// A bind source for the runtime process to open.
package struct MountSourceRequest: Equatable, Sendable {
    /// Whose mappings the mount is to have.
    package struct IDMap: Equatable, Sendable {
        package enum Source: Equatable, Sendable {
            case mappings(uid: [IDMapping], gid: [IDMapping])
            /// A user namespace's file.
            case namespace(path: String)
        }

        package let recursive: Bool
        package let source: Source
    }

    /// The mount's place in `mounts`.
    package let index: Int
    /// Absolute, in the runtime's mount namespace.
    package let path: String
    package let recursive: Bool
    package let followsLinks: Bool
    package let idMap: IDMap?
}

/// Detached copies of mounts, by the place in `mounts` of the entry they are for. Owns its descriptors.
package struct MountSources: ~Copyable, Sendable {
    private var descriptors: [Int: CInt]

    /// None.
    package init() {
        descriptors = [:]
    }

    /// Opens every source. One that the kernel does not let this process copy is left to init, unless its ids must be
    /// mapped.
    package init(opening requests: [MountSourceRequest]) throws(Failure) {
        self.init()
        for request in requests {
            do throws(Errno) {
                let tree = try MountAPI.cloneTree(
                    at: .workingDirectory,
                    request.path,
                    recursive: request.recursive,
                    following: request.followsLinks
                )
                descriptors[request.index] = tree.release()
            } catch .EPERM where request.idMap == nil {
                continue
            } catch {
                throw Self.failure(index: request.index, path: request.path, error)
            }
            if let map = request.idMap, let descriptor = descriptors[request.index] {
                try IDMappedMount.apply(map, to: BorrowedFD(rawValue: descriptor), key: "mounts[\(request.index)]")
            }
        }
    }

    deinit {
        for descriptor in descriptors.values { _ = OwnedFD(adopting: descriptor) }
    }

    /// Hands one over; `nil` when it was not opened.
    package mutating func take(_ index: Int) -> OwnedFD? {
        guard let descriptor = descriptors.removeValue(forKey: index) else { return nil }
        return OwnedFD(adopting: descriptor)
    }

    /// Hands all over, leaving none.
    package mutating func takeAll() -> MountSources {
        var all = MountSources()
        swap(&all.descriptors, &descriptors)
        return all
    }

    /// Why a source could not be opened.
    static func failure(index: Int, path: String, _ errno: Errno) -> Failure {
        switch errno {
        case .ENOENT, .ENOTDIR:
            Failure("mounts[\(index)].source: \(path): no such file or directory on the host", .notFound, subject: path)
        default: Failure("open mounts[\(index)].source \(path)", .openTree, errno, subject: path)
        }
    }
}
