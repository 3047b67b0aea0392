// What `exec` does to enter the container of each valid configuration: goldens in spec-fixtures/exec-plans, the orders
// that must hold, who waits for whom, and the tail that it shares with create.

import Configuration
import Foundation
import KernelTypes
import Launch
import Lifecycle
import RuntimeCLI
import Testing

extension Plans {
    /// Valid documents with a process.
    /// Who made the cgroups makes no difference to exec.
    static let execNames = names.filter { !$0.hasSuffix(scoped) }.filter {
        (try? configuration($0 + ".json"))?.process != nil
    }

    /// - Parameter uid: Whose runtime enters.
    static func execPlan(_ name: String, uid: UInt32 = 0, isPlacedBySystemd: Bool = false) throws -> ExecPlan {
        var c = try configuration(name + ".json")
        c.sysctls = []
        var machine = facts
        machine.effectiveUserID = uid
        let kinds = NamespaceKind.allCases.filter(c.namespaces.isSeparate)
        let entry = ContainerEntry(
            kinds: kinds,
            cgroups: ["/sys/fs/cgroup/ID"],
            isPlacedBySystemd: isPlacedBySystemd,
            machine
        )
        return try ExecPlan(
            c,
            machine,
            entry,
            request(c),
            capabilities: capabilities,
            hardLimits: hardLimits
        )
    }

    /// As `explain` would print it.
    static func execText(_ name: String, uid: UInt32 = 0) throws -> String {
        ExplainText.text(of: Explain.sections(try execPlan(name, uid: uid)), .text)
    }
}

@Suite("Exec plans")
struct ExecPlanTests {
    @Test(arguments: Plans.execNames)
    func golden(name: String) throws {
        try Plans.expect(try Plans.execText(name), isIn: "spec-fixtures/exec-plans/\(name).txt")
    }

    @Test func goldenOfAnOrdinaryUser() throws {
        let text = try Plans.execText("user-namespace", uid: 1000)
        try Plans.expect(text, isIn: "spec-fixtures/exec-plans/user-namespace-by-1000.txt")
    }

    /// The runtime may not move the process: it waits until systemd has, and is still the user's then.
    @Test func systemdPlacesWhatTheRuntimeMayNot() throws {
        let plan = try Plans.execPlan("user-namespace", uid: 1000, isPlacedBySystemd: true)
        #expect(!plan.runtime.contains { $0.name == "openCgroup" })
        let clone = try #require(plan.runtime.firstIndex(of: .cloneIntermediate))
        #expect(plan.runtime[(clone + 1)...].prefix(2) == [.attachToScope(["/sys/fs/cgroup/ID"]), .tell(.placed)])
        let wait = try #require(plan.intermediate.firstIndex(of: .waitFor(.placed)))
        let join = try #require(plan.intermediate.firstIndex { $0.name == "joinContainer" })
        #expect(wait < join && !plan.intermediate.contains(.joinCgroup))
    }

    @Test func everyGoldenHasItsConfiguration() throws {
        let folder = Plans.fixtures.appending(path: "exec-plans").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(files) == Set(Plans.execNames.map { $0 + ".txt" } + ["user-namespace-by-1000.txt"]))
    }

    /// Who becomes the container's user does so by the same steps in create and in exec.
    @Test(arguments: Plans.execNames)
    func theTailIsThatOfCreate(name: String) throws {
        func tail(_ steps: [InitStep]) throws -> ArraySlice<InitStep> {
            let start = try #require(steps.firstIndex(of: .closeDescriptors))
            let end = steps.firstIndex(of: .tell(.ready)) ?? steps.firstIndex { $0.name == "execute" }
            return steps[start..<(try #require(end))]
        }
        let created = try tail(try Plans.plan(name).initial)
        let entered = try tail(try Plans.execPlan(name).initial)
        #expect(Array(created) == Array(entered))
        #expect(created.count > 8)
    }

    static let orders: [(first: String, then: String, reason: String)] = [
        ("dieWithParent", "joinCgroup", "a runtime that is killed leaves nothing"),
        ("joinCgroup", "joinContainer", "the runtime's powers over cgroups; nothing stays in a dead container's"),
        ("joinCgroup", "setAffinity", "a cpuset would change it"),
        ("joinContainer", "becomeRoot", "the ids are the user namespace's"),
        ("joinContainer", "makeTerminal", "the terminal is the container's"),
        ("joinContainer", "joinSessionKeyring", "names of keyrings belong to the user namespace"),
        ("makeTerminal", "closeDescriptors", "the console socket goes with the others"),
        ("surviveParent", "setUser", "changing ids clears the signal unseen"),
        ("verifyWorkingDirectory", "tell", "CVE-2024-21626"),
        ("verifyWorkingDirectory", "execute", "CVE-2024-21626, also where nobody is told"),
        ("findProgram", "tell", "all that can fail without the program"),
        ("setCapabilities", "execute", "the program has what it was given, also where nobody is told"),
        ("waitForStart", "execute", "limits and the terminal's size are in place"),
    ]

    @Test(arguments: orders.indices)
    func ordersHold(index: Int) throws {
        let order = Self.orders[index]
        var applied = 0
        for name in Plans.execNames {
            let steps = try Plans.execPlan(name).initial.map(\.name)
            guard let first = steps.lastIndex(of: order.first), let then = steps.firstIndex(of: order.then) else {
                continue
            }
            applied += 1
            #expect(first < then, "\(name): \(order.then) before \(order.first): \(order.reason)")
        }
        #expect(applied > 0, "no plan has both \(order.first) and \(order.then)")
    }

    /// Others in the container see the process when it is born: it must be untraceable by then (CVE-2016-9962).
    @Test(arguments: Plans.execNames, [UInt32(0), 1000])
    func nobodyLooksIntoIt(name: String, uid: UInt32) throws {
        let plan = try Plans.execPlan(name, uid: uid)
        if plan.intermediate.isEmpty {
            let steps = plan.runtime.map(\.name)
            let untraceable = try #require(steps.firstIndex(of: "becomeUntraceable"))
            #expect(untraceable < (try #require(steps.firstIndex(of: "cloneProcess"))))
        } else {
            let steps = plan.intermediate.map(\.name)
            let untraceable = try #require(steps.firstIndex(of: "becomeUntraceable"))
            #expect(untraceable < (try #require(steps.firstIndex(of: "joinContainer"))))
        }
        #expect(plan.runtime.map(\.name).last == "writePIDFile")
    }

    @Test(arguments: Plans.execNames, [UInt32(0), 1000])
    func everyWaitIsToldOnce(name: String, uid: UInt32) throws {
        let plan = try Plans.execPlan(name, uid: uid)
        var told: [SyncMessage] = []
        var awaited: [SyncMessage] = []
        for step in plan.runtime {
            if case .tell(let message) = step { told.append(message) }
            if case .waitFor(let message) = step { awaited.append(message) }
        }
        for step in plan.intermediate {
            if case .tell(let message) = step { told.append(message) }
            if case .waitFor(let message) = step { awaited.append(message) }
        }
        for step in plan.initial {
            switch step {
            case .tell(let message): told.append(message)
            case .waitFor(let message): awaited.append(message)
            case .announceListener: told.append(.listenerReady)
            case .waitForStart: awaited.append(.start)
            default: break
            }
        }
        #expect(Set(told).count == told.count && Set(awaited).count == awaited.count)
        #expect(Set(told) == Set(awaited), "told \(told), awaited \(awaited)")
    }
}
