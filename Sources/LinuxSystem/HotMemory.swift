// Hints to the kernel that save page faults, of which each costs as much as ten system calls. Nothing depends on them.

internal import CLinux

/// Memory that a birth is known to touch.
package enum HotMemory {
    /// Makes the heap as large as a birth needs it, in one go.
    package static func prepareHeap() {
        clinux_prepare_heap()
    }

    /// Maps the functions of a birth, in a child: clone copies no page table of a program's text.
    package static func mapText() {
        clinux_map_hot_text()
    }
}
