// Where each process is: one word a role in a page that all of them share. When a process dies without a word, the
// runtime reads here which step it was in. One store a step is all it costs.

package import LinuxSystem

/// The present step of every process of one birth.
package struct Breadcrumb: Sendable {
    private let page: SharedWords

    /// To be made before the first clone.
    package init() throws(Errno) {
        page = try SharedWords(count: ProcessRole.allCases.count)
    }

    /// Steps count from 1; 0 means none begun.
    package subscript(role: ProcessRole) -> Int {
        get { Int(page[Int(role.rawValue)]) }
        nonmutating set { page[Int(role.rawValue)] = UInt32(truncatingIfNeeded: newValue) }
    }
}
