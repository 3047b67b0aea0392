// A counter of the kernel's that can be waited for.

internal import CLinux

/// Eventfds.
package enum EventDescriptor {
    /// A non-blocking one; eight bytes are read from it when something happened. The corresponding call is `eventfd(2)`.
    package static func make() throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_eventfd()))
    }
}
