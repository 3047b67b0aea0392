// The commands that ps, update and events amount to. Used by GivenWords alone.

extension GivenWords {
    func psOptions() throws(OptionProblem) -> PsOptions {
        var options = PsOptions(arguments[0])
        if let format: ListFormat = try chosen(.format) { options.format = format }
        options.arguments = Array(arguments.dropFirst())
        // `ps ID -- OPTIONS`: the two hyphens are for this program.
        if options.arguments.first == "--" { options.arguments.removeFirst() }
        return options
    }

    func updateOptions() throws(OptionProblem) -> UpdateOptions {
        for name in [OptionName.cacheSchema, .bandwidthSchema] where text(name) != nil {
            throw OptionProblem(
                message: "--\(name.rawValue): linux.intelRdt is not supported, so no container has such a schema"
            )
        }
        let limits = values.filter { $0.name != .resources && !$0.text.isEmpty }
        if let file = text(.resources) {
            if let other = limits.first {
                throw OptionProblem(
                    message: "--resources and --\(other.name.rawValue) exclude each other: give all limits in one place"
                )
            }
            return UpdateOptions(arguments[0], .file(file))
        }
        var draft = LimitDraft()
        for limit in limits { try LimitOption.set(limit.name, to: limit.text, in: &draft) }
        return UpdateOptions(arguments[0], .options(draft.resources))
    }

    func eventsOptions() throws(OptionProblem) -> EventsOptions {
        var options = EventsOptions(arguments[0])
        if let text = text(.interval) {
            guard let interval = Quantity.nanoseconds(text) else {
                throw OptionProblem(message: "--interval: \"\(text)\" is not a duration such as 500ms, 5s or 1m30s")
            }
            guard interval >= 1_000_000 else {
                throw OptionProblem(message: "--interval: \"\(text)\" is too short; expected at least 1ms")
            }
            options.interval = interval
        }
        options.once = isOn(.stats)
        return options
    }
}
