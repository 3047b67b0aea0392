// Containers whose program is the machine's own Python, seen read-only: for programs that speak over sockets.

import Foundation

extension Sandbox {
    /// Makes the directories to mount on.
    func usePython() throws {
        for name in ["usr", "lib", "lib64"] { try Self.makeDirectory("\(rootfs)/\(name)") }
    }

    /// The same container with Python in it, as `/usr/bin/python3`.
    func withPython(_ document: Document) -> Document {
        var changed = document
        for (source, destination) in [("/usr", "/usr"), ("/usr/lib", "/lib"), ("/usr/lib64", "/lib64")] {
            changed.add(
                "mounts",
                ["destination": destination, "type": "bind", "source": source, "options": ["rbind", "ro"]]
            )
        }
        return changed
    }
}
