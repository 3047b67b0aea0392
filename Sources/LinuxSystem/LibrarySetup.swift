// What a library would have done before main: see CLinux/startup.c.

internal import CLinux

/// Setting up libraries that are rarely needed, when they are.
package enum LibrarySetup {
    /// Finds selinuxfs for libselinux; to be called before anything of it.
    package static func prepareSELinux() {
        clinux_prepare_selinux()
    }
}
