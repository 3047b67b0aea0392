// `explain`: the steps that create, start and delete would take, computed by the same functions, executing none.

internal import Cgroups
package import Configuration
internal import Confinement
package import Diagnostics
package import Launch
internal import Records

/// `explain`.
package enum Explain {
    /// One step as text.
    package struct Line: Sendable {
        package let index: Int
        package let name: String
        package let detail: String
    }

    /// The steps of one process in one command.
    package struct Section: Sendable {
        package let command: String
        package let process: String
        package let lines: [Line]
    }

    /// Needs no privilege and changes nothing.
    package static func run(_ request: CreateRequest, _ context: RuntimeContext) throws(Failure) -> [Section] {
        let facts = facts(context)
        let bundle = try Bundle(at: request.bundle, configFile: request.configFile, facts: facts, context.log)
        context.log.begin(act: "plan")
        defer { context.log.end(.runtime) }
        let c = Create.configuration(bundle, request, context)
        var launch = LaunchRequest(id: request.id, bundle: bundle.path)
        launch.cgroupDriver = context.cgroupDriver
        launch.unitProperties = try Create.unitProperties(c, context)
        launch.noPivot = request.noPivot
        launch.noNewKeyring = request.noNewKeyring
        launch.notifies = request.notifySocket != nil
        if c.process?.terminal == true {
            launch.console = .socket(path: request.consoleSocket ?? "(--console-socket)")
        }
        let cgroups = CgroupDirectories(try Create.placement(c, launch, facts, context))
        let plan = try LaunchPlan(
            c,
            facts,
            launch,
            capabilities: try CapabilityFacts.ofThisProcess(),
            hardLimits: HostProbe.hardLimits(),
            cgroups: cgroups
        )
        return sections(c, plan)
    }

    /// All that happens to a container, from what its birth is planned to be.
    package static func sections(_ c: ContainerConfiguration, _ plan: LaunchPlan) -> [Section] {
        let notifies = plan.runtime.contains(.makeNoticeDirectory)
        return [
            section("create", "runtime", plan.runtime),
            section("create", "intermediate", plan.intermediate),
            section("create", "init", plan.initial),
            section("start", "runtime", Birth.startSteps(poststart: c.hooks[.poststart], notifies: notifies)),
            section("delete", "runtime", Birth.deletionSteps(poststop: c.hooks[.poststop])),
        ].filter { !$0.lines.isEmpty }
    }

    /// What `exec` does.
    package static func sections(_ plan: ExecPlan) -> [Section] {
        [
            section("exec", "runtime", plan.runtime),
            section("exec", "intermediate", plan.intermediate),
            section("exec", "init", plan.initial),
        ].filter { !$0.lines.isEmpty }
    }

    /// Nobody's privileges matter for reading: the steps are those of the machine's root, unless an ordinary user's are
    /// asked for.
    private static func facts(_ context: RuntimeContext) -> HostFacts {
        var facts = context.hostFacts()
        if context.toleratesMissingCgroups != true {
            facts.effectiveUserID = 0
            facts.effectiveGroupID = 0
            facts.isInUserNamespace = false
        }
        return facts
    }

    private static func section(_ command: String, _ process: String, _ steps: [some StepText]) -> Section {
        Section(
            command: command,
            process: process,
            lines: steps.enumerated().map {
                Line(index: $0.offset + 1, name: $0.element.name, detail: $0.element.detail)
            }
        )
    }
}
