// How a failure reads. The first line stands alone: engines show only that.

internal import LinuxSystem

extension Failure {
    /// `init, step 21 mount: mount the proc filesystem on /proc (fsmount, nosuid,nodev): EPERM (operation not permitted)`.
    package var line: String {
        var text = ""
        if let role, let step {
            text += "\(role.name), step \(step.index) \(step.name): "
        }
        text += action
        let qualifiers = [call?.name, detail].compactMap { $0 }.filter { !$0.isEmpty }
        if !qualifiers.isEmpty {
            text += " (\(qualifiers.joined(separator: ", ")))"
        }
        if let errno {
            text += ": \(errno)"
        }
        return text.replacingLineBreaks
    }

    /// What to do about it: the thrower's advice, or what the table knows of the call and errno.
    package var advice: String? {
        hint ?? Hints.advice(for: self)
    }
}

extension String {
    /// Line breaks become `; `, so that the text fits one log line.
    package var replacingLineBreaks: String {
        guard utf8.contains(10) || utf8.contains(13) else { return self }
        return split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
