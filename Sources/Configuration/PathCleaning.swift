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
        if isClean(path) { return path }
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

    /// Most paths are.
    private static func isClean(_ path: String) -> Bool {
        guard isAbsolute(path), path.utf8.count > 1 else { return path == "/" }
        // Of a component; as if one ended at the first slash.
        var length = 1
        var dots = 0
        for byte in path.utf8 {
            if byte != UInt8(ascii: "/") {
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            } else {
                if length == dots && length < 3 { return false }
                length = 0
                dots = 0
            }
        }
        return !(length == dots && length < 3)
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
