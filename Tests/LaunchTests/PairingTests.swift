// Who waits is told. Every waiting of a plan has one telling in a peer, and three processes that follow their lists
// come to the end of them.

import Launch
import Testing

/// What a step means for the others.
enum Meeting: Equatable {
    case tell(SyncMessage)
    case wait(SyncMessage)
    /// A process is born and begins its own list.
    case bear(Role)
    case none
}

enum Role: CaseIterable {
    case runtime, intermediate, initial
}

extension LaunchPlan {
    /// The lists with all but the meetings taken out.
    var meetings: [Role: [Meeting]] {
        var lists: [Role: [Meeting]] = [:]
        lists[.runtime] = runtime.map { step in
            switch step {
            case .tell(let message): .tell(message)
            case .waitFor(let message): .wait(message)
            case .cloneInit: .bear(.initial)
            case .cloneIntermediate: .bear(.intermediate)
            default: .none
            }
        }
        lists[.intermediate] = intermediate.map { step in
            switch step {
            case .tell(let message): .tell(message)
            case .waitFor(let message): .wait(message)
            case .cloneInit: .bear(.initial)
            default: .none
            }
        }
        lists[.initial] = initial.map { step in
            switch step {
            case .tell(let message): .tell(message)
            case .waitFor(let message): .wait(message)
            case .announceListener: .tell(.listenerReady)
            default: .none
            }
        }
        return lists
    }
}

@Suite("Pairing")
struct PairingTests {
    @Test func thereArePlans() {
        #expect(Plans.names.count >= 15)
        #expect(Plans.names.contains("namespaces-joined") && Plans.names.contains("seccomp-notify"))
    }

    @Test(arguments: Plans.names + Plans.hybridNames)
    func everyWaitIsToldOnce(name: String) throws {
        let lists = try Plans.plan(name).meetings
        for message in SyncMessage.allCases {
            let telling = Role.allCases.filter { lists[$0]?.contains(.tell(message)) ?? false }
            let waiting = Role.allCases.filter { lists[$0]?.contains(.wait(message)) ?? false }
            #expect(telling.count == waiting.count, "\(message)")
            #expect(telling.count <= 1 && waiting.count <= 1, "\(message)")
            #expect(telling.isEmpty || telling != waiting, "\(message): told to itself")
            for list in lists.values {
                #expect(list.filter { $0 == .tell(message) }.count <= 1, "\(message) twice")
                #expect(list.filter { $0 == .wait(message) }.count <= 1, "\(message) twice")
            }
        }
    }

    /// The runtime's end and the others' end; a message that comes before its waiting is kept.
    @Test(arguments: Plans.names + Plans.hybridNames, Role.allCases)
    func allComeToTheirEnd(name: String, first: Role) throws {
        let lists = try Plans.plan(name).meetings
        var position: [Role: Int] = [.runtime: 0]
        var toRuntime: [SyncMessage] = []
        var toChildren: [SyncMessage] = []
        // Whoever can go on goes on; the first is preferred, to see other interleavings.
        let order = [first] + Role.allCases.filter { $0 != first }
        while let role = order.first(where: { role in
            guard let place = position[role], let list = lists[role], place < list.count else { return false }
            guard case .wait(let message) = list[place] else { return true }
            return (role == .runtime ? toRuntime : toChildren).contains(message)
        }), let place = position[role], let step = lists[role]?[place] {
            position[role] = place + 1
            switch step {
            case .tell(let message):
                if role == .runtime { toChildren.append(message) } else { toRuntime.append(message) }
            case .wait(let message):
                if role == .runtime {
                    toRuntime.removeAll { $0 == message }
                } else {
                    toChildren.removeAll { $0 == message }
                }
            case .bear(let child):
                #expect(position[child] == nil, "\(child) is born twice")
                position[child] = 0
            case .none: break
            }
        }
        for role in Role.allCases where !(lists[role] ?? []).isEmpty {
            #expect(position[role] == lists[role]?.count, "\(role) stops at step \((position[role] ?? -1) + 1)")
        }
        #expect(toRuntime.isEmpty && toChildren.isEmpty, "unread: \(toRuntime) \(toChildren)")
    }
}
