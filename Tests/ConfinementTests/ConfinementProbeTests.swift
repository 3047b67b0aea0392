import Foundation
import Testing

/// What a run of the probe said.
private struct Answer {
    let status: Int32
    let values: [String: String]
    let warnings: [String]

    subscript(key: String) -> String? { values[key] }
}

private func probe(_ arguments: String...) throws -> Answer {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "ConfinementProbe")
    process.arguments = arguments
    let output = Foundation.Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    var values: [String: String] = [:]
    var warnings: [String] = []
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        if parts.first == "warning" { warnings.append(parts[1]) }
        values[parts[0]] = parts.count == 2 ? parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " ") : ""
    }
    let signalled = process.terminationReason == .uncaughtSignal
    return Answer(
        status: signalled ? -process.terminationStatus : process.terminationStatus,
        values: values,
        warnings: warnings
    )
}

/// What the kernel says of a process that was really confined.
@Suite(.enabled(if: geteuid() == 0, "needs root: confinement starts from root's powers"))
struct ConfinementProbeTests {
    @Test func idsGroupsAndCapabilitiesAreExactlyThese() throws {
        let answer = try probe(
            "confine",
            "uid=1000",
            "gid=1001",
            "groups=5,7",
            "umask=27",
            "nnp",
            "bounding=CAP_CHOWN,CAP_KILL,CAP_CHECKPOINT_RESTORE",
            "permitted=CAP_CHOWN,CAP_KILL,CAP_CHECKPOINT_RESTORE",
            "effective=CAP_CHOWN,CAP_CHECKPOINT_RESTORE",
            "inheritable=CAP_KILL",
            "ambient=CAP_KILL"
        )
        #expect(answer.status == 0 && answer["failure"] == nil)
        #expect(answer["Uid"] == "1000 1000 1000 1000")
        #expect(answer["Gid"] == "1001 1001 1001 1001")
        #expect(answer["Groups"] == "5 7")
        #expect(answer["Umask"] == "0027")
        #expect(answer["NoNewPrivs"] == "1")
        #expect(answer["CapBnd"] == "0000010000000021")
        #expect(answer["CapPrm"] == "0000010000000021")
        #expect(answer["CapEff"] == "0000010000000001")
        #expect(answer["CapInh"] == "0000000000000020")
        #expect(answer["CapAmb"] == "0000000000000020")
    }

    @Test func anotherUserKeepsOnlyAmbientCapabilitiesAcrossExec() throws {
        let answer = try probe(
            "confine",
            "uid=1000",
            "bounding=CAP_CHOWN,CAP_KILL",
            "permitted=CAP_CHOWN,CAP_KILL",
            "effective=CAP_CHOWN",
            "inheritable=CAP_KILL",
            "ambient=CAP_KILL",
            "exec=/bin/cat /proc/self/status"
        )
        #expect(answer["CapPrm"] == "0000000000000020")
        #expect(answer["CapEff"] == "0000000000000020")
        let plain = try probe(
            "confine",
            "uid=1000",
            "bounding=all",
            "permitted=all",
            "effective=all",
            "exec=/bin/cat /proc/self/status"
        )
        #expect(plain["CapPrm"] == "0000000000000000")
        #expect(plain["CapEff"] == "0000000000000000")
    }

    @Test func rootKeepsWhatIsBoundingAcrossExec() throws {
        let answer = try probe("confine", "bounding=CAP_CHOWN,CAP_BPF", "exec=/bin/cat /proc/self/status")
        #expect(answer["CapPrm"] == "0000008000000001")
        #expect(answer["CapBnd"] == "0000008000000001")
        #expect(answer["CapAmb"] == "0000000000000000")
    }

    @Test func callersGroupsDoNotLeakIn() throws {
        #expect(try probe("confine", "groups=")["Groups"] == "")
    }

    @Test func schedulingAndPlacementAreSet() throws {
        let answer = try probe("confine", "oom=300", "nice=7", "policy=3", "linux32", "interleave")
        #expect(answer["failure"] == nil)
        #expect(answer["oom"] == "300")
        #expect(answer["policy"] == "3")
        #expect(answer["nice"] == "7")
        #expect(answer["personality"] == "00000008")
        #expect(answer["numa"] == "interleave:0")
        let idle = try probe("confine", "ioprio=\(3 << 13)", "bounding=all", "exec=/usr/bin/ionice")
        #expect(idle.values.keys.contains("idle"))
    }

    @Test func theSessionKeyringIsTheContainersOwn() throws {
        let answer = try probe("confine", "id=web.1")
        #expect(answer["keyring"] == "keyring;0;0;3f1b0000;_ses.web.1")
        let inside = try probe("confine", "id=web.2", "userns")
        #expect(inside["keyring"]?.hasSuffix(";3f130008;_ses.web.2") == true)
    }

    @Test func parametersOfOwnNamespacesAreSet() throws {
        let network = try probe(
            "confine",
            "unshare=network",
            "sysctl=net/ipv4/ip_forward@1",
            "show=/proc/sys/net/ipv4/ip_forward"
        )
        #expect(network["shown"] == "1")
        let ipc = try probe(
            "confine",
            "unshare=ipc",
            "sysctl=kernel/msgmax@4321",
            "show=/proc/sys/kernel/msgmax"
        )
        #expect(ipc["shown"] == "4321")
    }

    @Test func parametersThatDoNotExistAreNamed() throws {
        let answer = try probe("confine", "unshare=network", "sysctl=net/core/no_such@1")
        #expect(answer.status == 1)
        #expect(
            answer["failure"]
                == "open the kernel parameter of linux.sysctl.net.core.no_such (openat2): ENOENT (no such file or directory)"
        )
        let refused = try probe("confine", "unshare=network", "sysctl=net/ipv4/ip_forward@many")
        #expect(
            refused["failure"] == "set linux.sysctl.net.ipv4.ip_forward to \"many\" (write): EINVAL (invalid argument)"
        )
    }

    @Test func aWalkOutOfTheParametersIsRefused() throws {
        let answer = try probe("confine", "unshare=network", "sysctl=net/../../../etc/hostname@x")
        #expect(answer.status == 1)
        #expect(answer["failure"]?.hasPrefix("open the kernel parameter of linux.sysctl.net.") == true)
    }

    @Test func aUserNamespaceMayDenyGroups() throws {
        let none = try probe("confine", "userns")
        #expect(none.status == 0 && none["failure"] == nil)
        let some = try probe("confine", "userns", "groups=0")
        #expect(some.status == 1)
        #expect(
            some["failure"]
                == "set the supplementary groups of process.user.additionalGids (setgroups): EPERM (operation not permitted)"
        )
        #expect(some["hint"] == "the user namespace denies setgroups: leave process.user.additionalGids empty")
    }

    @Test func unmappedIdsAreExplained() throws {
        let answer = try probe("confine", "userns", "uid=5")
        #expect(answer["failure"] == "become user 5 of process.user.uid (setresuid): EINVAL (invalid argument)")
        #expect(answer["hint"]?.hasPrefix("the id has no mapping") == true)
    }

    @Test func labelsThatCannotBeWrittenFail() throws {
        // The plan believes the facts it was given; the kernel has the last word.
        let answer = try probe("confine", "apparmor=no-such-profile")
        #expect(answer.status == 1)
        #expect(
            answer["failure"]?.hasPrefix("apply the AppArmor profile no-such-profile of process.apparmorProfile")
                == true
        )
        #expect(try probe("confine", "selinux=u:r:t:s0").status == 1)
    }

    @Test func loadedFiltersRefuseAndCompare() throws {
        for extra in [["deny"], ["deny", "nnp"], ["deny", "nnp", "unprivileged"]] {
            let answer = try probe(extra[0], extra.dropFirst().first ?? "-", extra.dropFirst(2).first ?? "-")
            #expect(answer["mkdir"] == "97")
            #expect(answer["personality 8"] == "98")
            #expect(answer["personality 0"] == "set")
        }
    }

    @Test func loadingWithoutPrivilegeIsExplained() throws {
        let answer = try probe("deny", "unprivileged")
        #expect(answer["failure"]?.hasPrefix("load the filter of linux.seccomp (seccomp, ") == true)
        #expect(answer["failure"]?.hasSuffix("EACCES (permission denied)") == true)
        #expect(answer["hint"]?.hasPrefix("without process.noNewPrivileges this needs CAP_SYS_ADMIN") == true)
    }

    @Test func aListenerIsADescriptor() throws {
        let answer = try probe("listener")
        #expect(answer["link"] == "anon_inode:seccomp notify")
        #expect(answer["flags"] == "\(1 | 8 | 16 | 32)")
    }

    /// The filter kills for every call but those that dropping privileges makes: no allocation, no surprise.
    @Test func droppingPrivilegesNeedsNoOtherCalls() throws {
        let arguments = [
            "bounding=CAP_KILL", "permitted=CAP_KILL", "inheritable=CAP_KILL", "ambient=CAP_KILL", "uid=1000",
        ]
        let answer = try probe(
            "strict",
            arguments[0],
            arguments[1],
            arguments[2],
            arguments[3],
            arguments[4],
            "groups=1,2,3,4,5,6,7,8"
        )
        #expect(answer["survived"] == "yes")
        #expect(answer.status == 0)
        // The filter does kill: SIGSYS.
        #expect(try probe("strict", "allocate").status == -31)
    }
}
