// POSIX extended regular expressions, for `--regex`. See regex(7) and regcomp(3). Used by the verbs that take one; not
// a kernel call, but what Glibc offers is called from this room only.

internal import Glibc

// SAFETY: `compiled` was filled by regcomp, is never handed out, and is freed once.
/// A compiled extended regular expression.
@safe package struct ExtendedPattern: ~Copyable {
    private var compiled: regex_t

    /// Compiles `pattern`; `nil` if it is malformed.
    package init?(_ pattern: String) {
        var compiled = unsafe regex_t()
        // What stands behind a NUL would be dropped in silence.
        guard !pattern.utf8.contains(0), unsafe regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0 else {
            return nil
        }
        unsafe self.compiled = compiled
    }

    deinit {
        var compiled = unsafe compiled
        unsafe regfree(&compiled)
    }

    /// Whether the expression matches anywhere in `text`.
    package borrowing func matches(_ text: String) -> Bool {
        unsafe withUnsafePointer(to: compiled) { unsafe regexec($0, text, 0, nil, 0) == 0 }
    }
}
