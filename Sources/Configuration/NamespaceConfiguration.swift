// `linux.namespaces`: which are made, which are entered, which are shared with the runtime.

package import KernelTypes

/// The namespaces of a container. A kind that is not here is the runtime's own.
package struct NamespaceConfiguration: Equatable, Sendable {
    /// A namespace to enter.
    package struct Joined: Equatable, Sendable {
        package let kind: NamespaceKind
        /// Absolute, in the runtime's mount namespace.
        package let path: String

        package init(kind: NamespaceKind, path: String) {
            self.kind = kind
            self.path = path
        }
    }

    /// In document order.
    package var created: [NamespaceKind]
    /// In document order.
    package var joined: [Joined]

    package init(created: [NamespaceKind] = [], joined: [Joined] = []) {
        self.created = created
        self.joined = joined
    }

    package func creates(_ kind: NamespaceKind) -> Bool { created.contains(kind) }
    package func joins(_ kind: NamespaceKind) -> Bool { joined.contains { $0.kind == kind } }
    /// Whether the container has one of its own or somebody's that is not the runtime's.
    package func isSeparate(_ kind: NamespaceKind) -> Bool { creates(kind) || joins(kind) }
}
