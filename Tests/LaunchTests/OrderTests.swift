// Orders that must hold in every plan, as data: what comes first, what comes after it, and why.

import Launch
import Testing

/// In a list, every step of the first names comes before every step of the second.
struct OrderRule: Sendable, CustomStringConvertible {
    enum List: Sendable { case runtime, intermediate, initial }

    let list: List
    let first: String
    let then: String
    let reason: String

    init(_ list: List, _ first: String, _ then: String, _ reason: String) {
        self.list = list
        self.first = first
        self.then = then
        self.reason = reason
    }

    var description: String { "\(first) before \(then): \(reason)" }

    static let rules: [OrderRule] = [
        OrderRule(.runtime, "reserveID", "*", "the id is taken before anything is made"),
        OrderRule(.runtime, "recordPlan", "createCgroup", "a crash must leave a record of what exists"),
        OrderRule(.runtime, "recordPlan", "cloneInit", "a crash must leave a record of what exists"),
        OrderRule(.runtime, "recordPlan", "cloneIntermediate", "a crash must leave a record of what exists"),
        OrderRule(.runtime, "checkLabel", "createCgroup", "a label that is refused leaves nothing behind"),
        OrderRule(.runtime, "limitResources", "delegateCgroup", "the limits are set before others can write"),
        OrderRule(.runtime, "delegateCgroup", "cloneInit", "the program finds the cgroup its own"),
        OrderRule(.runtime, "compileFilter", "cloneInit", "init needs no library to load it"),
        OrderRule(.runtime, "recordPlan", "createBirthplace", "a crash must leave a record of what exists"),
        OrderRule(.runtime, "limitResources", "openCgroup", "init enters cgroups that have their limits"),
        OrderRule(.runtime, "openCgroup", "tell placed", "the files come along"),
        OrderRule(.runtime, "startScope", "limitResources", "the files are there when systemd has made them"),
        OrderRule(.runtime, "limitResources", "tell placed", "nothing of the container runs without its limits"),
        OrderRule(.runtime, "cloneIntermediate", "startScope", "a scope is made around a process"),
        OrderRule(.runtime, "cloneInit", "startScope", "a scope is made around a process"),
        OrderRule(.runtime, "recordInit", "tell recorded", "init outlives the runtime only when it is on record"),
        OrderRule(.runtime, "mapIDs", "tell mapped", "an unmapped process has no ids"),
        OrderRule(.runtime, "hook prestart", "hook createRuntime", "runtime-spec, Hooks: prestart comes first"),
        OrderRule(.runtime, "waitFor mountsReady", "hook prestart", "hooks see the mounts"),
        OrderRule(.runtime, "recordCreated", "writePIDFile", "the file is the news that the container is created"),
        OrderRule(.runtime, "waitFor ready", "recordCreated", "created means that init waits for its start"),
        OrderRule(.intermediate, "dieWithParent", "*", "a runtime that is killed leaves nothing"),
        OrderRule(.intermediate, "joinCgroup", "enterNamespace", "while it has the runtime's powers over cgroups"),
        OrderRule(.initial, "dieWithParent", "*", "a runtime that is killed leaves nothing"),
        OrderRule(.intermediate, "waitFor placed", "enterNamespace", "systemd must be able to see whose process it is"),
        OrderRule(.initial, "waitFor placed", "newCgroupNamespace", "the namespace's root is where the process is"),
        OrderRule(.initial, "joinCgroup", "newCgroupNamespace", "the namespace's root is where the process is"),
        OrderRule(.initial, "waitFor placed", "joinCgroup", "the files come along"),
        OrderRule(
            .initial,
            "joinCgroup",
            "hook createContainer",
            "a hook in the container's namespaces counts as its own"
        ),
        OrderRule(
            .initial,
            "joinCgroup",
            "tell mountsReady",
            "prestart and createRuntime hooks find init in its cgroups"
        ),
        OrderRule(.initial, "joinCgroup", "pivotRoot", "nothing of the container runs outside of its cgroups"),
        OrderRule(.initial, "becomeUntraceable", "enterNamespace", "others in there must not look in (CVE-2016-9962)"),
        OrderRule(.initial, "waitFor mapped", "becomeRoot", "an unmapped process has no ids"),
        OrderRule(.initial, "mount", "pivotRoot", "mount sources are the host's"),
        OrderRule(.initial, "hook createContainer", "pivotRoot", "the hook is the host's program"),
        OrderRule(.initial, "waitFor recorded", "hook createContainer", "what it starts is found by who is on record"),
        OrderRule(.initial, "setSysctls", "readonlyPath", "a read-only path could not be written"),
        OrderRule(.initial, "pivotRoot", "maskPath", "paths of the container's tree"),
        OrderRule(.initial, "waitFor recorded", "surviveParent", "nothing on disk would find it"),
        OrderRule(.initial, "surviveParent", "changeDirectory", "changing ids clears the signal unseen"),
        OrderRule(.initial, "changeDirectory", "verifyWorkingDirectory", "CVE-2024-21626"),
        OrderRule(.initial, "verifyWorkingDirectory", "tell ready", "all that can fail without the program"),
        OrderRule(.initial, "findProgram", "tell ready", "all that can fail without the program"),
        OrderRule(.initial, "tell ready", "waitForStart", "created means that init waits for its start"),
        OrderRule(.initial, "waitForStart", "hook startContainer", "runtime-spec, Hooks"),
        OrderRule(.initial, "hook startContainer", "execute", "runtime-spec, Hooks"),
    ]

    /// Whether a step, as `name detail`, is meant: `*` is every other step.
    private static func matches(_ pattern: String, _ step: String, other: String) -> Bool {
        if pattern == "*" { return !matches(other, step, other: "") }
        return step == pattern || step.hasPrefix(pattern + " ") || step.hasPrefix(pattern + "[")
    }

    /// The steps in the wrong order, or nothing.
    func violation(in plan: LaunchPlan) -> String? {
        let steps = Self.texts(plan, list)
        let last = steps.lastIndex { Self.matches(first, $0, other: then) }
        let next = steps.firstIndex { Self.matches(then, $0, other: first) }
        guard let last, let next, next < last else { return nil }
        return "\(steps[next]) (\(next + 1)) before \(steps[last]) (\(last + 1))"
    }

    static func texts(_ plan: LaunchPlan, _ list: List) -> [String] {
        func text(_ step: some StepText) -> String {
            let detail = step.detail.replacingOccurrences(of: "[", with: " [")
            return step.detail.isEmpty ? step.name : "\(step.name) \(detail)"
        }
        return switch list {
        case .runtime: plan.runtime.map(text)
        case .intermediate: plan.intermediate.map(text)
        case .initial: plan.initial.map(text)
        }
    }

    /// Whether any plan has both: a rule about nothing proves nothing.
    func applies(to plan: LaunchPlan) -> Bool {
        let steps = Self.texts(plan, list)
        return steps.contains { Self.matches(first, $0, other: then) }
            && steps.contains { Self.matches(then, $0, other: first) }
    }
}

@Suite("Order")
struct OrderTests {
    @Test(arguments: OrderRule.rules)
    func holdsInEveryPlan(rule: OrderRule) throws {
        var applied = 0
        for name in Plans.names + Plans.hybridNames {
            let plan = try Plans.plan(name)
            if rule.applies(to: plan) { applied += 1 }
            let violation = rule.violation(in: plan)
            #expect(violation == nil, "\(name): \(violation ?? ""); \(rule.reason)")
        }
        #expect(applied > 0, "no plan has both")
    }

    /// Without no_new_privs a filter needs a power that is dropped later; with it, the filter comes last.
    @Test(arguments: Plans.names)
    func theFilterHasItsPlace(name: String) throws {
        let c = try Plans.configuration(name + ".json")
        let steps = OrderRule.texts(try Plans.plan(name), .initial).map { $0.split(separator: " ")[0] }
        guard c.seccomp != nil, c.process != nil, let filter = steps.firstIndex(where: { $0.contains("Filter") }) else {
            return
        }
        let find = try #require(steps.firstIndex(of: "findProgram"))
        if c.process?.noNewPrivileges == true { #expect(filter > find) } else { #expect(filter < find) }
    }
}
