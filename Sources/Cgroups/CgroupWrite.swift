// What a limit becomes: a value for a file of a cgroup. Made by the pure translations, performed by the drivers.

package import LinuxSystem

/// One value to write.
package struct CgroupWrite: Equatable, Sendable {
    package struct Choice: Equatable, Sendable {
        package let file: String
        /// Each line is written on its own.
        package let value: String

        package init(_ file: String, _ value: String) {
            self.file = file
            self.value = value
        }
    }

    /// The controller that has the file; empty for a file that every cgroup has.
    package let controller: String
    /// In order of preference: the first whose file exists is written.
    package let choices: [Choice]
    /// Where config.json asks for it: `linux.resources.memory.limit`.
    package let key: String
    /// Answers of the kernel that mean that nothing was lost.
    package let ignorable: [Errno]
    /// Whether the kernel may refuse the value only because another one of the list is not written yet
    /// (a memory limit above the old limit of memory and swap): refused with `EINVAL`, it is tried again at the end.
    package let isInterdependent: Bool
    /// A file with the present use; a value below it is refused without writing.
    package let usageFile: String?

    package init(
        _ controller: String,
        _ choices: [Choice],
        key: String,
        ignorable: [Errno] = [],
        isInterdependent: Bool = false,
        usageFile: String? = nil
    ) {
        self.controller = controller
        self.choices = choices
        self.key = key
        self.ignorable = ignorable
        self.isInterdependent = isInterdependent
        self.usageFile = usageFile
    }

    package init(
        _ controller: String,
        _ file: String,
        _ value: String,
        key: String,
        ignorable: [Errno] = [],
        isInterdependent: Bool = false
    ) {
        self.init(
            controller,
            [Choice(file, value)],
            key: key,
            ignorable: ignorable,
            isInterdependent: isInterdependent
        )
    }
}
