// Paths as text: joining and cleaning without a look at the file system.
// Used by the checks. Never a proof of where a path leads: symbolic links are PathResolution's business.

/// Operations on the text of a path.
package enum LexicalPath {
    /// Whether `path` starts at the root.
    package static func isAbsolute(_ path: String) -> Bool {
        path.utf8.first == UInt8(ascii: "/")
    }

    /// Returns `path` as an absolute path without `.`, `..`, doubled slashes and a slash at the end.
    ///
    /// `..` removes the component before it and stays at the root when there is none. A relative path counts from `/`.
    package static func cleaned(_ path: String) -> String {
        var components: [Substring.UTF8View] = []
        for component in Substring(path).utf8.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        guard !components.isEmpty else { return "/" }
        var text = ""
        for component in components {
            text += "/"
            text += Substring(component)
        }
        return text
    }

    /// Returns `path` cleaned; a relative one counts from the absolute path `base`.
    package static func joined(_ base: String, _ path: String) -> String {
        cleaned(isAbsolute(path) ? path : base + "/" + path)
    }

    /// Whether `..` is among the components of `path`.
    package static func hasParentReference(_ path: String) -> Bool {
        path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
    }
}
