// Cutting texts of the kernel, byte by byte.

import LinuxSystem
import Testing

@Suite("Parts of texts")
struct TextPartsTests {
    @Test(
        "between separators",
        arguments: [
            ("", []), ("/", []), ("a", ["a"]), ("/a//b/", ["a", "b"]), ("a/\u{e9}/c", ["a", "\u{e9}", "c"]),
            // A separator that a letter's accent hides from `split`.
            ("a/\u{301}b", ["a", "\u{301}b"]),
        ]
    )
    func parts(text: String, parts: [String]) {
        #expect(text.parts(separatedBy: "/") == parts)
    }

    @Test(
        "around the last separator",
        arguments: [
            ("", "", ""), ("a", "", "a"), ("a/b", "a", "b"), ("a/b/c", "a/b", "c"), ("a/", "a", ""), ("/a", "", "a"),
        ]
    )
    func cut(text: String, before: String, after: String) {
        #expect(text.cut(atLast: "/") == (before, after))
    }
}
