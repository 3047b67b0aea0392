// `hooks`, typed. Run by Launch and Lifecycle.

/// A program that the runtime runs at a point of the container's life.
package struct Hook: Equatable, Sendable {
    /// Absolute.
    package let path: String
    /// `argv`, the first is the program's name; empty: the path alone.
    package let arguments: [String]
    /// `nil`: the runtime's own environment.
    package let environment: [String]?
    /// Seconds, at least 1; `nil` waits for ever.
    package let timeoutSeconds: Int?

    package init(path: String, arguments: [String], environment: [String]?, timeoutSeconds: Int?) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.timeoutSeconds = timeoutSeconds
    }
}

/// The points at which hooks run. Runtime-spec: config.md, POSIX-platform Hooks.
package enum HookPoint: String, CaseIterable, Sendable {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop
}

/// Hooks by point, each list in document order.
package struct HookLists: Equatable, Sendable {
    private var lists: [[Hook]] = Array(repeating: [], count: HookPoint.allCases.count)

    package init() {}

    package subscript(point: HookPoint) -> [Hook] {
        get { lists[Self.index(of: point)] }
        set { lists[Self.index(of: point)] = newValue }
    }

    private static func index(of point: HookPoint) -> Int {
        HookPoint.allCases.firstIndex(of: point) ?? 0
    }
}
