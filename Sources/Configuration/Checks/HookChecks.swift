// Hooks. Environment values never appear in a message.

import OCISpec

extension Validator {
    static func hooks(_ spec: RuntimeSpec) throws(ConfigurationProblem) -> HookLists {
        var lists = HookLists()
        guard let hooks = spec.hooks else { return lists }
        let place = Place.document.member("hooks")
        for point in HookPoint.allCases {
            let list =
                switch point {
                case .prestart: hooks.prestart
                case .createRuntime: hooks.createRuntime
                case .createContainer: hooks.createContainer
                case .startContainer: hooks.startContainer
                case .poststart: hooks.poststart
                case .poststop: hooks.poststop
                }
            lists[point] = try place.member(point.rawValue).each(list, hook)
        }
        return lists
    }

    private static func hook(_ hook: OCISpec.Hook, at place: Place) throws(ConfigurationProblem) -> Hook {
        try place.member("path").wholeString(hook.path)
        guard LexicalPath.isAbsolute(hook.path) else {
            throw place.member("path").expected("an absolute path", found: quoted(hook.path))
        }
        let arguments = try place.member("args").each(hook.args) { (argument, place) throws(ConfigurationProblem) in
            try place.wholeString(argument)
            return argument
        }
        if let timeout = hook.timeout {
            guard timeout > 0 else { throw place.member("timeout").expected("a number from 1", found: "\(timeout)") }
        }
        var environment: [String]?
        if let entries = hook.env {
            environment = try self.environment(entries, at: place.member("env"))
        }
        return Hook(path: hook.path, arguments: arguments, environment: environment, timeoutSeconds: hook.timeout)
    }
}
