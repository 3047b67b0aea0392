// The vocabularies, each against its list: names of containers, signals, limits, kernel parameters, lists of numbers.

import Configuration
import Foundation
import Glibc
import KernelTypes
import Testing

@Suite("Vocabularies")
struct VocabularyTests {
    // MARK: Container names

    @Test(arguments: ["a", "web-1", "A.b_c+d", "-x", "...", ".a", "1", String(repeating: "x", count: 255)])
    func acceptsContainerID(text: String) throws {
        #expect(try ContainerID(text).text == text)
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "/", "a b", "a\n", "a\u{0}", "\u{E9}", "\u{212A}", "a:b", "a*", "~", "a@b",
        String(repeating: "x", count: 256),
    ])
    func refusesContainerID(text: String) {
        let problem = #expect(throws: ConfigurationProblem.self) { try ContainerID(text) }
        #expect(problem?.description.hasPrefix("invalid container ID format: \"") == true)
    }

    // MARK: Signals

    @Test(arguments: [
        ("9", 9), ("1", 1), ("64", 64), ("033", 33), ("KILL", 9), ("SIGKILL", 9), ("sigkill", 9), ("Kill", 9),
        ("TERM", 15),
        ("SIGHUP", 1), ("chld", 17), ("CLD", 17), ("IOT", 6), ("SIGPOLL", 29), ("RTMIN", 34), ("SIGRTMIN", 34),
        ("SIGRTMIN+3", 37), ("rtmin+30", 64), ("RTMAX", 64), ("SIGRTMAX-0", 64), ("RTMAX-14", 50),
    ])
    func readsSignal(text: String, number: Int) {
        #expect(SignalNumber(text)?.rawValue == Int32(number))
    }

    @Test(arguments: [
        "", "0", "65", "-1", "+9", " 9", "9 ", "0x9", "SIG", "SIGSIGKILL", "KILLED", "RTMIN+31", "RTMIN-1", "RTMAX+1",
        "RTMIN+", "RTMIN+a", "SIG9", "\u{17F}IGKILL", "99999999999999999999", "SIGRTMIN+-1",
    ])
    func refusesSignal(text: String) {
        #expect(SignalNumber(text) == nil)
    }

    @Test func signalsHaveTheNumbersOfTheCLibrary() {
        let expected = [
            ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
            ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV),
            ("USR2", SIGUSR2), ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("STKFLT", SIGSTKFLT),
            ("CHLD", SIGCHLD), ("CONT", SIGCONT), ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN),
            ("TTOU", SIGTTOU), ("URG", SIGURG), ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM),
            ("PROF", SIGPROF), ("WINCH", SIGWINCH), ("IO", SIGIO), ("PWR", SIGPWR), ("SYS", SIGSYS),
        ]
        #expect(expected.count == 31)
        for (name, number) in expected {
            #expect(SignalNumber(name)?.rawValue == number)
            #expect(SignalNumber(rawValue: number)?.description == "SIG\(name)")
        }
    }

    @Test func everySignalReadsBackItsName() {
        for number in Int32(1)...64 where number != 32 && number != 33 {
            let signal = SignalNumber(rawValue: number)
            #expect(signal.flatMap { SignalNumber($0.description) } == signal)
        }
        #expect(SignalNumber(rawValue: 0) == nil)
        #expect(SignalNumber(rawValue: 65) == nil)
    }

    // MARK: Limits and capabilities

    @Test func limitsHaveTheNumbersOfTheCLibrary() {
        let expected = [
            ("CPU", RLIMIT_CPU), ("FSIZE", RLIMIT_FSIZE), ("DATA", RLIMIT_DATA), ("STACK", RLIMIT_STACK),
            ("CORE", RLIMIT_CORE), ("RSS", __RLIMIT_RSS), ("NPROC", __RLIMIT_NPROC), ("NOFILE", RLIMIT_NOFILE),
            ("MEMLOCK", __RLIMIT_MEMLOCK), ("AS", RLIMIT_AS), ("LOCKS", __RLIMIT_LOCKS),
            ("SIGPENDING", __RLIMIT_SIGPENDING), ("MSGQUEUE", __RLIMIT_MSGQUEUE), ("NICE", __RLIMIT_NICE),
            ("RTPRIO", __RLIMIT_RTPRIO), ("RTTIME", __RLIMIT_RTTIME),
        ]
        for (name, number) in expected {
            #expect(ResourceLimitTable.names.firstIndex(of: "RLIMIT_\(name)") == Int(number.rawValue))
        }
        #expect(ResourceLimitTable.names.count == expected.count)
    }

    @Test func capabilitiesGoBeyondTheFirst32() {
        #expect(CapabilitySet.names.count == 41)
        #expect(CapabilitySet(name: "CAP_CHOWN")?.rawValue == 1)
        #expect(CapabilitySet(name: "CAP_SYS_ADMIN")?.numbers == [21])
        #expect(CapabilitySet(name: "CAP_PERFMON")?.numbers == [38])
        #expect(CapabilitySet(name: "CAP_CHECKPOINT_RESTORE")?.numbers == [40])
        #expect(CapabilitySet(name: "cap_chown") == nil)
        #expect(CapabilitySet(name: "CHOWN") == nil)
        for (number, name) in CapabilitySet.names.enumerated() {
            #expect(CapabilitySet(name: name)?.rawValue == 1 << UInt64(number))
            #expect(CapabilitySet(name: name)?.memberNames == [name])
        }
    }

    // MARK: Kernel parameters

    @Test(arguments: [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward", NamespaceKind.network),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward", .network),
        ("net.ipv4.conf.eth0/1.rp_filter", "net/ipv4/conf/eth0.1/rp_filter", .network),
        ("net/ipv4/conf/eth0.1/rp_filter", "net/ipv4/conf/eth0.1/rp_filter", .network),
        ("kernel.shmmax", "kernel/shmmax", .ipc), ("kernel.sem", "kernel/sem", .ipc),
        ("kernel.msgmnb", "kernel/msgmnb", .ipc), ("kernel.shm_rmid_forced", "kernel/shm_rmid_forced", .ipc),
        ("fs.mqueue.queues_max", "fs/mqueue/queues_max", .ipc),
        ("user.max_net_namespaces", "user/max_net_namespaces", .user),
        ("kernel.domainname", "kernel/domainname", .uts), ("kernel.hostname", "kernel/hostname", .uts),
    ])
    func readsSysctlOfNamespace(text: String, path: String, kind: NamespaceKind) throws {
        let key = try #require(SysctlKey(text))
        #expect(key.path == path)
        #expect(key.namespace == kind)
    }

    @Test(arguments: [
        "kernel.panic", "vm.swappiness", "net", "user", "fs.mqueue", "fs.file-max", "kernel.sem.x", "kernel",
    ])
    func knowsSysctlOfTheMachine(text: String) throws {
        #expect(try #require(SysctlKey(text)).namespace == nil)
    }

    @Test(arguments: [
        "", ".", "/", "net.", ".net", "net..x", "net/../x", "net/./x", "net.//.x", "net./.x", "/net/x", "net.a\u{0}",
    ])
    func refusesSysctl(text: String) {
        #expect(SysctlKey(text) == nil)
    }

    // MARK: Lists of numbers

    @Test(
        arguments: [
            ("0", [1]), ("0-3,7", [0b1000_1111]), ("7,0-3", [0b1000_1111]), ("1-1", [2]), ("63-64", [1 << 63, 1]),
            ("128", [0, 0, 1]), ("0-3,2-5", [0b11_1111]), ("007", [0b1000_0000]),
        ] as [(String, [UInt])]
    )
    func readsNumberList(text: String, words: [UInt]) {
        #expect(NumberList(text)?.words == words)
    }

    @Test(arguments: [
        "", ",", "0,", ",0", "a", "-", "1-", "-1", "3-1", "1-2-3", " 0", "0 ", "0\n", "+1", "0-8192", "0x1",
    ])
    func refusesNumberList(text: String) {
        #expect(NumberList(text) == nil)
    }

    // MARK: Paths

    @Test(arguments: [
        ("/", "/"), ("//", "/"), ("/a/", "/a"), ("/a//b", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"),
        ("/../../a", "/a"), ("/a/..", "/"), ("a/b", "/a/b"), ("", "/"), ("/...", "/..."), ("/a/..b", "/a/..b"),
        ("/e\u{301}/../\u{E9}", "/\u{E9}"),
    ])
    func cleansPath(path: String, cleaned: String) {
        #expect(Array(LexicalPath.cleaned(path).utf8) == Array(cleaned.utf8))
    }

    @Test func joinsPaths() {
        #expect(LexicalPath.joined("/bundle", "rootfs") == "/bundle/rootfs")
        #expect(LexicalPath.joined("/bundle", "../other") == "/other")
        #expect(LexicalPath.joined("/bundle", "/abs//x") == "/abs/x")
        #expect(LexicalPath.joined("/", "a") == "/a")
        #expect(LexicalPath.hasParentReference("/a/../b"))
        #expect(!LexicalPath.hasParentReference("/a/..b/c.."))
    }

    @Test func quotesKeysThatAreNoPlainWords() {
        let place = Place.document.member("annotations")
        #expect(place.member("org.example/x-1").keyPath == "annotations.org.example/x-1")
        #expect(place.member("a b").keyPath == "annotations[\"a b\"]")
        #expect(place.member("").keyPath == "annotations[\"\"]")
        #expect(place.member("a\n\"\u{1B}").keyPath == "annotations[\"a\\n\\\"\\u{1b}\"]")
        #expect(Place.document.element(2).member("x").keyPath == "[2].x")
    }
}
