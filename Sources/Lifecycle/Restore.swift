// `restore`: makes a container from a bundle and from the images that `checkpoint` wrote. It runs at once.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import Launch
package import LinuxSystem
internal import Records

/// `restore`.
package enum Restore {
    /// Makes a container from images.
    /// - Returns: How its program ended; `nil` when detached.
    package static func run(
        _ request: CreateRequest,
        _ settings: CheckpointSettings,
        _ options: Run.Options,
        _ context: RuntimeContext
    ) throws(Failure) -> ExitStatus? {
        let side = try prepare(request, settings, options.detach ? .detached : .foreground, context)
        if options.detach {
            try side.restore()
            return nil
        }
        // Signals wait from here on, so that none is lost between the clone and the first reading.
        try attempt("block signals", .sigprocmask) { () throws(Errno) in try Signals.blockAll() }
        if !options.noSubreaper {
            try attempt("become the reaper of the container's orphans", .prctl) { () throws(Errno) in
                try Processes.becomeSubreaper()
            }
        }
        try side.restore()
        let foreground: Foreground
        do throws(Failure) {
            foreground = try Foreground(
                process: side.processDescriptor,
                pid: side.record.pid,
                terminal: side.terminal.take()
            )
        } catch {
            throw side.rollBack(after: error)
        }
        let inode = side.directoryInode
        side.releaseLock()
        let status = try foreground.stay(context.log)
        if !options.keep { try Run.remove(side.record, inode, context) }
        return status
    }

    private static func prepare(
        _ request: CreateRequest,
        _ settings: CheckpointSettings,
        _ mode: Create.Mode,
        _ context: RuntimeContext
    ) throws(Failure) -> RestoreSide {
        let facts = context.hostFacts()
        let bundle = try Bundle(at: request.bundle, configFile: request.configFile, facts: facts, context.log)
        try bundle.checkRoot()
        try CheckpointLimits.check(bundle.configuration, facts)
        context.log.begin(act: "plan")
        defer { context.log.end(.runtime) }
        let launch = try Create.launchRequest(request, mode, bundle, context)
        let cgroup = try Create.cgroup(bundle.configuration, launch, facts, context)
        let record = ContainerRecord(
            id: request.id,
            configuration: bundle.configuration,
            bundle: bundle.path,
            created: Timestamp.text(of: Machine.wallClock()),
            owner: facts.effectiveUserID,
            bootID: try ProcessIdentity.bootID(),
            cgroups: cgroup.placement
        )
        return try RestoreSide(
            bundle,
            facts,
            launch,
            settings,
            cgroup: cgroup,
            record: record,
            context
        )
    }
}
