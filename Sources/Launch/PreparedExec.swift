// Arguments and environment of the container's program as the kernel wants them, made before the system-call filter is
// loaded: after that nothing may allocate. Used by InitSide as its last act.

package import LinuxSystem

/// Strings in memory that is never freed: the process's image is about to be replaced.
@safe
package struct PreparedExec {
    /// The file to execute, for messages.
    package let file: String
    private let path: UnsafePointer<CChar>
    private let arguments: UnsafePointer<UnsafePointer<CChar>?>
    private let environment: UnsafePointer<UnsafePointer<CChar>?>

    /// - Parameters:
    ///   - path: The file to execute.
    ///   - arguments: `argv`.
    ///   - environment: `NAME=value` strings.
    package init(path: String, arguments: [String], environment: [String]) {
        file = path
        unsafe self.path = Self.pointer(to: path)
        unsafe self.arguments = Self.list(arguments)
        unsafe self.environment = Self.list(environment)
    }

    /// Replaces this process's image; returns only the reason why not.
    package func execute() -> Errno {
        unsafe Processes.execute(path, arguments, environment)
    }

    /// Replaces this process's image by the file behind `fd`; returns only the reason why not.
    package func execute(_ fd: BorrowedFD) -> Errno {
        unsafe Processes.execute(fd, arguments, environment)
    }

    // SAFETY: each buffer is one byte longer than its text, and lives as long as the process's image.
    private static func pointer(to text: String) -> UnsafePointer<CChar> {
        let utf8 = text.utf8
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: utf8.count + 1)
        var index = 0
        for byte in utf8 {
            unsafe buffer[index] = CChar(bitPattern: byte)
            index += 1
        }
        unsafe buffer[index] = 0
        return unsafe UnsafePointer(buffer.baseAddress.unsafelyUnwrapped)
    }

    // SAFETY: as above; the list ends with nil.
    private static func list(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
        let buffer = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() {
            unsafe buffer.initializeElement(at: index, to: pointer(to: text))
        }
        unsafe buffer.initializeElement(at: texts.count, to: nil)
        return unsafe UnsafePointer(buffer.baseAddress.unsafelyUnwrapped)
    }
}
