import Configuration
import Confinement
import Diagnostics
import KernelTypes
import Testing

private let all = CapabilitySet(rawValue: (1 << 41) - 1)
private let allFacts = CapabilityFacts(known: all, bounding: all, permitted: all)

private func set(_ names: String...) -> CapabilitySet {
    names.reduce(into: CapabilitySet()) { $0.formUnion(CapabilitySet(name: $1) ?? CapabilitySet()) }
}

private func request(_ change: (inout ConfinementRequest) -> Void = { _ in }) -> ConfinementRequest {
    let user = UserConfiguration(uid: 1000, gid: 100, additionalGroups: [10, 20])
    let process = ProcessConfiguration(workingDirectory: "/", arguments: ["true"], user: user)
    var request = ConfinementRequest(containerID: "web1", process: process, host: HostFacts(), capabilities: allFacts)
    change(&request)
    return request
}

private func lines(_ steps: [ConfinementStep]) -> [String] {
    steps.map { $0.detail.isEmpty ? $0.name : "\($0.name) \($0.detail)" }
}

@Suite struct ConfinementPlanTests {
    @Test func theLeastProcessStillGivesUpEverything() throws {
        let plan = try ConfinementPlan(request())
        #expect(lines(plan.beforeRootfs) == ["joinSessionKeyring _ses.web1, searchable by owner"])
        #expect(
            plan.insideRootfs == [] && plan.restrictions == [] && plan.filterBeforeDrop == [] && plan.filterLast == []
        )
        #expect(
            plan.privilegeDrop == [
                .dropBoundingSet(all), .keepCapabilities(true), .ownStandardStreams(uid: 1000),
                .setGroups([10, 20], denial: .fails), .setGroup(100), .setUser(1000), .keepCapabilities(false),
                .setCapabilities(effective: [], permitted: [], inheritable: []), .setAmbientSet([]),
            ]
        )
        #expect(plan.warnings == [])
    }

    @Test(arguments: [false, true]) func everythingHappensInOrder(_ noNewPrivileges: Bool) throws {
        let full = request { request in
            request.process.noNewPrivileges = noNewPrivileges
            request.process.user.umask = 0o27
            request.process.oomScoreAdjustment = -500
            request.process.ioPriority = 2 << 13 | 4
            request.process.scheduler = SchedulerAttributes()
            request.process.scheduler?.policy = 3
            request.process.scheduler?.nice = 5
            request.process.apparmorProfile = "docker-default"
            request.process.selinuxLabel = "u:r:t:s0"
            request.host.appArmorIsEnabled = true
            request.host.seLinuxIsEnabled = true
            request.personality = .linux32
            request.memoryPolicy = MemoryPolicy(mode: 2, nodes: [0b101, 1])
            request.sysctls = [
                SysctlSetting(path: "net/core/somaxconn", value: "128"),
                SysctlSetting(path: "kernel/msgmax", value: "1"),
            ]
            request.seccomp = SeccompSection(SeccompConfiguration(defaultAction: .allow))
            request.process.capabilities.bounding = all.subtracting(set("CAP_BPF"))
            request.process.capabilities.permitted = set("CAP_CHOWN", "CAP_KILL")
            request.process.capabilities.effective = set("CAP_CHOWN")
            request.process.capabilities.inheritable = set("CAP_KILL")
            request.process.capabilities.ambient = set("CAP_KILL")
        }
        var expected = [
            "setKeyringLabel u:r:t:s0",
            "joinSessionKeyring _ses.web1, searchable by owner",
            "setKeyringLabel of the policy",
            "setOOMScoreAdjustment -500",
            "setAppArmorProfile docker-default",
            "setSysctls net/core/somaxconn=128 kernel/msgmax=1",
            "setUmask 027",
            "setNoNewPrivileges",
            "setScheduler policy 3, nice 5",
            "setIOPriority class 2, level 4",
            "setPersonality linux32",
            "setMemoryPolicy mode 2, nodes 0,2,64",
            "setSELinuxLabel u:r:t:s0",
            "loadSeccomp",
            "dropBoundingSet CAP_BPF",
            "keepCapabilities on",
            "ownStandardStreams user 1000",
            "setGroups 10 20",
            "setGroup 100",
            "setUser 1000",
            "keepCapabilities off",
            "setCapabilities effective CAP_CHOWN; permitted CAP_CHOWN CAP_KILL; inheritable CAP_KILL",
            "setAmbientSet CAP_KILL",
        ]
        // With no_new_privs the filter comes last, without it before the privilege that loading needs is gone.
        if noNewPrivileges {
            expected.removeAll { $0 == "loadSeccomp" }
            expected.append("loadSeccomp")
        } else {
            expected.removeAll { $0 == "setNoNewPrivileges" }
        }
        let plan = try ConfinementPlan(full)
        #expect(lines(plan.steps) == expected)
        #expect(plan.filterLast.isEmpty != noNewPrivileges)
    }

    @Test func aListenerIsPartOfTheStep() throws {
        let plan = try ConfinementPlan(
            request {
                var seccomp = SeccompConfiguration(defaultAction: .allow)
                seccomp.rules = [.init(names: ["mkdir"], action: .notify, conditions: [])]
                $0.seccomp = SeccompSection(seccomp)
            }
        )
        #expect(plan.filterBeforeDrop == [.loadSeccomp(listener: true)])
        #expect(lines(plan.filterBeforeDrop) == ["loadSeccomp with a listener"])
    }

    @Test func groupsAreAlwaysSetAlsoToNone() throws {
        let plan = try ConfinementPlan(request { $0.process.user.additionalGroups = [] })
        #expect(plan.privilegeDrop.contains(.setGroups([], denial: .fails)))
        #expect(lines(plan.privilegeDrop).contains("setGroups none"))
    }

    @Test func onlyAnAnnotationKeepsTheGroups() throws {
        let plan = try ConfinementPlan(request { $0.keepsOriginalGroups = true })
        #expect(!plan.privilegeDrop.contains { $0.name == "setGroups" })
    }

    /// user_namespaces(7): a namespace may forbid setgroups; without additional groups that is as good.
    @Test(arguments: [
        (true, false, [UInt32](), ConfinementStep.GroupDenial.tolerated), (false, true, [], .tolerated),
        (true, false, [5], .fails), (false, true, [5], .fails), (false, false, [], .fails),
    ]) func aDenialIsToleratedOnlyWhereTheNamespaceMayDeny(
        _ enters: Bool,
        _ inside: Bool,
        _ groups: [UInt32],
        _ denial: ConfinementStep.GroupDenial
    ) throws {
        let plan = try ConfinementPlan(
            request {
                $0.entersUserNamespace = enters
                $0.host.isInUserNamespace = inside
                $0.process.user.additionalGroups = groups
            }
        )
        #expect(plan.privilegeDrop.contains(.setGroups(groups, denial: denial)))
    }

    @Test func theKeyringIsSearchableAndOptional() throws {
        #expect(
            lines(try ConfinementPlan(request { $0.entersUserNamespace = true }).beforeRootfs)
                == ["joinSessionKeyring _ses.web1, searchable by others"]
        )
        #expect(try ConfinementPlan(request { $0.joinsSessionKeyring = false }).beforeRootfs == [])
    }

    @Test(arguments: [false, true], [false, true])
    func aProfileIsStackedWhereItCannotBeLeft(_ noNewPrivileges: Bool, _ isConfined: Bool) throws {
        let plan = try ConfinementPlan(
            request {
                $0.process.apparmorProfile = "web"
                $0.process.noNewPrivileges = noNewPrivileges
                $0.host.appArmorIsEnabled = true
                $0.host.isConfinedByAppArmor = isConfined
            }
        )
        let stacked = noNewPrivileges && isConfined
        #expect(lines(plan.insideRootfs) == ["setAppArmorProfile web" + (stacked ? ", stacked" : "")])
    }

    @Test(arguments: [
        ("unconfined\n", false), ("unconfined", false), ("apus (unconfined)\n", false), ("", false),
        ("apus (enforce)\n", true), ("a name (complain)", true), ("outer//&inner (mixed)\n", true),
    ])
    func confinementIsRead(_ text: String, _ isConfined: Bool) {
        #expect(AppArmor.isConfinement(Array(text.utf8)) == isConfined)
    }

    @Test func labelsWithoutTheirModuleAreRefused() throws {
        var error = #expect(throws: Failure.self) {
            try ConfinementPlan(request { $0.process.selinuxLabel = "u:r:t:s0" })
        }
        #expect(
            error?.line
                == "process.selinuxLabel: SELinux is not active on this host, so \"u:r:t:s0\" cannot be applied"
        )
        error = #expect(throws: Failure.self) { try ConfinementPlan(request { $0.process.apparmorProfile = "web" }) }
        #expect(
            error?.line == "process.apparmorProfile: AppArmor is not active on this host, so \"web\" cannot be applied"
        )
        // Nothing is asked for: nothing is refused, and nothing done.
        for profile in ["", "unconfined"] {
            #expect(try ConfinementPlan(request { $0.process.apparmorProfile = profile }).insideRootfs == [])
        }
        #expect(try ConfinementPlan(request { $0.process.selinuxLabel = "" }).restrictions == [])
    }
}

@Suite struct CapabilityGrantTests {
    private func wanted(_ change: (inout CapabilitySets) -> Void) -> CapabilitySets {
        var sets = CapabilitySets()
        change(&sets)
        return sets
    }

    @Test func whatIsHeldIsGrantedWithoutAWord() {
        let sets = wanted {
            $0.bounding = all
            $0.effective = all
            $0.permitted = all
            $0.inheritable = all
            $0.ambient = all
        }
        let grant = CapabilityGrant(of: sets, allFacts)
        #expect(grant.bounding == all && grant.effective == all && grant.permitted == all)
        #expect(grant.inheritable == all && grant.ambient == all && grant.warnings == [])
    }

    /// Capabilities from 32 on are in the second word of the kernel's interface.
    @Test func highCapabilitiesCount() {
        let high = set("CAP_SYSLOG", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE")
        let grant = CapabilityGrant(
            of: wanted {
                $0.permitted = high; $0.effective = high
            },
            allFacts
        )
        #expect(grant.permitted.rawValue == 0x1c4_0000_0000)
        #expect(grant.effective == grant.permitted)
    }

    @Test func whatTheRuntimeLacksIsLeftOutWithAWord() {
        let held = all.subtracting(set("CAP_SYS_RESOURCE"))
        let facts = CapabilityFacts(known: all, bounding: held, permitted: held)
        let sets = wanted {
            $0.bounding = set("CAP_CHOWN", "CAP_SYS_RESOURCE")
            $0.permitted = set("CAP_CHOWN", "CAP_SYS_RESOURCE")
            $0.effective = set("CAP_SYS_RESOURCE")
        }
        let grant = CapabilityGrant(of: sets, facts)
        #expect(grant.bounding == set("CAP_CHOWN") && grant.permitted == set("CAP_CHOWN") && grant.effective == [])
        #expect(
            grant.warnings == [
                "process.capabilities.bounding, process.capabilities.effective, process.capabilities.permitted: "
                    + "CAP_SYS_RESOURCE is left out: the runtime itself does not hold it"
            ]
        )
    }

    @Test func whatTheKernelLacksIsLeftOutWithAWord() {
        let old = CapabilitySet(rawValue: (1 << 38) - 1)
        let facts = CapabilityFacts(known: old, bounding: old, permitted: old)
        let grant = CapabilityGrant(of: wanted { $0.bounding = set("CAP_BPF", "CAP_KILL") }, facts)
        #expect(grant.bounding == set("CAP_KILL"))
        #expect(
            grant.warnings == ["process.capabilities.bounding: CAP_BPF is left out: this kernel does not have it"]
        )
    }

    @Test func theKernelsOwnRulesAreAppliedAhead() {
        let facts = CapabilityFacts(known: all, bounding: set("CAP_KILL"), permitted: all)
        let sets = wanted {
            $0.bounding = set("CAP_KILL", "CAP_CHOWN")
            $0.permitted = set("CAP_KILL")
            $0.effective = set("CAP_KILL", "CAP_CHOWN")
            $0.inheritable = set("CAP_KILL", "CAP_CHOWN")
            $0.ambient = set("CAP_KILL", "CAP_FOWNER")
        }
        let grant = CapabilityGrant(of: sets, facts)
        #expect(grant.bounding == set("CAP_KILL"))
        #expect(grant.effective == set("CAP_KILL"))
        #expect(grant.inheritable == set("CAP_KILL"))
        #expect(grant.ambient == set("CAP_KILL"))
        #expect(
            grant.warnings == [
                "process.capabilities.bounding, process.capabilities.effective, process.capabilities.inheritable: "
                    + "CAP_CHOWN is left out: it is not in the runtime's own bounding set",
                "process.capabilities.ambient: CAP_FOWNER is left out: it is not in the runtime's own bounding set",
            ]
        )
    }

    @Test func aNewUserNamespaceGrantsWhatTheRuntimeLacks() throws {
        let facts = CapabilityFacts(known: all, bounding: [], permitted: [])
        let change: (inout ConfinementRequest) -> Void = {
            $0.capabilities = facts
            $0.process.capabilities.bounding = set("CAP_NET_ADMIN")
            $0.process.capabilities.permitted = set("CAP_NET_ADMIN")
        }
        let outside = try ConfinementPlan(request(change))
        #expect(outside.warnings.count == 1)
        #expect(!outside.privilegeDrop.contains { $0.name == "dropBoundingSet" })
        let inside = try ConfinementPlan(
            request {
                change(&$0); $0.entersUserNamespace = true
            }
        )
        #expect(inside.warnings == [])
        #expect(inside.privilegeDrop.first == .dropBoundingSet(all.subtracting(set("CAP_NET_ADMIN"))))
    }

    /// A kernel newer than this program has capabilities without a name here: they are dropped too.
    @Test func namelessCapabilitiesAreDropped() throws {
        let newer = CapabilitySet(rawValue: (1 << 43) - 1)
        let plan = try ConfinementPlan(
            request {
                $0.capabilities = CapabilityFacts(known: newer, bounding: newer, permitted: newer)
                $0.process.capabilities.bounding = all
            }
        )
        #expect(lines(plan.privilegeDrop).first == "dropBoundingSet 41 42")
    }
}
