// The verbs ps, update and events: each one calls Lifecycle and prints what it answers.

internal import Diagnostics
internal import JSON
internal import Lifecycle

extension Verbs {
    func ps(_ options: PsOptions) throws(Failure) {
        let id = try checked(options.id)
        switch options.format {
        case .table: try self.print(try ProcessList.table(id: id, arguments: options.arguments, try context()))
        case .json:
            let writer = JSONWriter()
            writer.beginArray()
            for pid in try ProcessList.pids(id: id, try context()) { writer.integer(pid) }
            writer.end()
            try self.print(String(decoding: writer.bytes, as: UTF8.self) + "\n")
        }
    }

    func update(_ options: UpdateOptions) throws(Failure) {
        let id = try checked(options.id)
        let source: Update.Source =
            switch options.source {
            case .file(let path): .file(path)
            case .options(let limits): .options(limits, spelling: LimitOption.spelling(ofKeyPath:))
            }
        try Update.run(id: id, source, try context())
    }

    func events(_ options: EventsOptions) throws(Failure) {
        let id = try checked(options.id)
        let stream = try EventStream(id: id, try context())
        if options.once { return try self.print(try stream.statistics()) }
        try stream.run(interval: options.interval) { line throws(Failure) in try self.print(line) }
    }
}
