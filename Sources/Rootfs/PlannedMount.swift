// One entry of `mounts` after every decision about it has been made, as plain values. Made by RootfsPlan, performed by
// RootfsExecutor.

package import Configuration
package import KernelTypes

/// A mount, ready to be made.
package struct PlannedMount: Equatable, Sendable, CustomStringConvertible {
    /// What is mounted.
    package enum Act: Equatable, Sendable {
        /// - isOpened: The runtime process has opened the source (`RootfsPlan.sources`).
        case bind(source: String, recursive: Bool, isOpened: Bool)
        case fileSystem(FileSystemRequest)
        case cgroup(CgroupView)
        /// - data: Words for the file system.
        case remount(data: [String])
    }

    /// Which part of the cgroup file systems the container sees.
    package struct CgroupView: Equatable, Sendable {
        /// Version 2 alone; else a directory of version 1 hierarchies.
        package let isUnified: Bool
        /// The container has a cgroup namespace, which is entered by now: file systems of its own are mounted.
        package let hasOwnNamespace: Bool
    }

    /// Its place in `mounts`, for messages.
    package let index: Int
    package let destination: String
    package let act: Act
    /// Without `ro` when that must wait until everything below the mount is made.
    package let options: MountOptions
    /// The options in the spec's words.
    package let words: [String]

    /// `mounts[3]`.
    var key: String { "mounts[\(index)]" }

    package var description: String {
        let what =
            switch act {
            case .bind(let source, let recursive, let isOpened):
                "\(recursive ? "rbind" : "bind") \(source)\(isOpened ? " (opened by the runtime)" : "")"
            case .fileSystem(let request): request.type
            case .cgroup(let view): view.isUnified ? "cgroup2" : "cgroup"
            case .remount: "remount"
            }
        let flags = words.filter { $0 != "bind" && $0 != "rbind" && $0 != "remount" }.joined(separator: ",")
        return "\(what) on \(destination)" + (flags.isEmpty ? "" : " (\(flags))")
    }
}

/// A file system to be made or found, and mounted.
package struct FileSystemRequest: Equatable, Sendable {
    /// One parameter of `fsconfig(2)`: a flag when it has no value.
    package struct Parameter: Equatable, Sendable {
        package let key: String
        package let value: String?

        package init(_ key: String, _ value: String? = nil) {
            self.key = key
            self.value = value
        }

        /// From a word of a mount's data: `size=64k`, `nr_inodes=1k`, `noswap`.
        init(word: String) {
            guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                self.init(word)
                return
            }
            self.init(String(word[..<equals]), String(word[word.utf8.index(after: equals)...]).withoutQuotes)
        }

        /// As in the data string of `mount(2)`.
        var word: String {
            guard let value else { return key }
            return value.contains(",") ? "\(key)=\"\(value)\"" : "\(key)=\(value)"
        }
    }

    package let type: String
    package let source: String?
    package let parameters: [Parameter]
    /// For `mount(2)`, which alone knows some of them.
    package let flags: MountFlags
    /// A directory of the host that is bound, with everything below it, when the kernel refuses the container a file
    /// system of its own because it shares the host's namespace of that kind.
    package let substitute: String?
    /// SELinux label of the mount's root, for file systems that take no `context=` but store labels.
    package let rootLabel: String?

    init(
        type: String,
        source: String?,
        parameters: [Parameter],
        flags: MountFlags = [],
        substitute: String? = nil,
        rootLabel: String? = nil
    ) {
        self.type = type
        self.source = source
        self.parameters = parameters
        self.flags = flags
        self.substitute = substitute
        self.rootLabel = rootLabel
    }

    /// `fsconfig(2)` cannot say `iversion`.
    var needsLegacyCall: Bool { flags.contains(.inodeVersion) }
}

extension String {
    /// Mount data quotes values that hold a comma; `fsconfig(2)` takes them bare.
    fileprivate var withoutQuotes: String {
        guard utf8.count >= 2, hasPrefix("\""), hasSuffix("\"") else { return self }
        return String(dropFirst().dropLast())
    }
}
