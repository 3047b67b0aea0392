// From a seccomp section to a BPF program, with libseccomp, in the runtime process: init only loads bytes. Called by
// SeccompFilter.swift on a cache miss. The only file that imports libseccomp.

internal import CSeccomp
internal import Configuration
internal import Diagnostics
internal import LinuxSystem

enum SeccompCompiler {
    /// `2.5.4`.
    static var libraryVersion: String {
        guard let version = unsafe seccomp_version() else { return "unknown" }
        return unsafe "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }

    /// The machine's own architecture, as libseccomp numbers them.
    static var nativeArchitecture: UInt32 { seccomp_arch_native() }

    /// The longest program that the kernel takes, instructions (BPF_MAXINSNS).
    static let maximumInstructions = 4096

    /// - Parameter flags: With which the filter will be loaded.
    static func compile(
        _ configuration: SeccompConfiguration,
        flags: UInt32
    ) throws(Failure) -> CompiledFilter {
        let filter = try Filter(defaultAction: configuration.defaultAction)
        var foreign: [String] = []
        var architectures: [(name: String, token: UInt32)] = []
        for name in [nativeName] + configuration.architectures where !architectures.contains(where: { $0.name == name })
        {
            let token = try token(ofArchitecture: name)
            if try filter.add(architecture: token, name) {
                architectures.append((name, token))
            } else {
                foreign.append(name)
            }
        }
        var unknown: [String] = []
        for (index, rule) in configuration.rules.enumerated() {
            for name in rule.names {
                let number = unsafe seccomp_syscall_resolve_name(name)
                if number == nameIsUnknown {
                    if !unknown.contains(name) { unknown.append(name) }
                    continue
                }
                // The library refuses a rule that says what the default says.
                if rule.action == configuration.defaultAction { continue }
                for conditions in SeccompProfile.alternatives(rule) {
                    try filter.add(number, rule.action, conditions, "linux.seccomp.syscalls[\(index)]: \(name)")
                }
            }
        }
        var instructions: [FilterInstruction] = []
        if !SeccompProfile.answersUnknownCalls(configuration.defaultAction) {
            let known = architectures.compactMap { knowledge(configuration, $0.name, $0.token) }
            instructions = UnknownCallAnswer.instructions(known)
        }
        instructions += FilterInstruction.list(try filter.export())
        instructions = FilterRegions.compact(instructions, limit: maximumInstructions)
        guard instructions.count <= maximumInstructions else {
            throw Failure(
                "linux.seccomp: the filter has \(instructions.count) instructions, the kernel takes "
                    + "\(maximumInstructions)",
                hint: "fewer architectures or fewer conditions on arguments make it shorter"
            )
        }
        var program: [UInt8] = []
        for instruction in instructions { instruction.append(to: &program) }
        return CompiledFilter(
            program: program,
            flags: flags,
            unknownCalls: unknown,
            foreignArchitectures: foreign
        )
    }

    /// `__NR_SCMP_ERROR`.
    private static let nameIsUnknown: CInt = -1

    private static var nativeName: String {
        let native = seccomp_arch_native()
        return SeccompConfiguration.architectureNames.first { libraryToken($0) == native } ?? "SCMP_ARCH_NATIVE"
    }

    private static func token(ofArchitecture name: String) throws(Failure) -> UInt32 {
        let token = name == "SCMP_ARCH_NATIVE" ? seccomp_arch_native() : libraryToken(name)
        guard token != 0 else {
            throw Failure(
                "linux.seccomp.architectures: libseccomp \(libraryVersion) does not know \(name)",
                .unsupported,
                subject: "linux.seccomp.architectures"
            )
        }
        return token
    }

    /// The library's own names are the spec's without `SCMP_ARCH_`, in small letters.
    private static func libraryToken(_ name: String) -> UInt32 {
        unsafe seccomp_arch_resolve_name(name.dropFirst("SCMP_ARCH_".utf8.count).lowercased())
    }

    private static func knowledge(
        _ configuration: SeccompConfiguration,
        _ name: String,
        _ token: UInt32
    ) -> UnknownCallAnswer.Knowledge? {
        var highest: CInt = -1
        for rule in configuration.rules {
            for call in rule.names {
                // Negative numbers stand for calls that this architecture does not have.
                highest = max(highest, unsafe seccomp_syscall_resolve_name_arch(token, call))
            }
        }
        guard highest >= 0 else { return nil }
        return UnknownCallAnswer.Knowledge(
            architecture: name,
            token: token,
            highest: UInt32(highest)
        )
    }

    /// The library's filter under construction.
    @safe private struct Filter: ~Copyable {
        private let context: scmp_filter_ctx

        init(defaultAction: SeccompConfiguration.Action) throws(Failure) {
            guard let context = unsafe seccomp_init(SeccompCompiler.number(of: defaultAction)) else {
                throw Failure(
                    "linux.seccomp.defaultAction: this kernel or libseccomp does not know \(defaultAction)",
                    .unsupported,
                    subject: "linux.seccomp.defaultAction"
                )
            }
            unsafe self.context = context
        }

        deinit {
            unsafe seccomp_release(context)
        }

        /// - Returns: Whether this machine can run programs of that architecture at all.
        func add(architecture token: UInt32, _ name: String) throws(Failure) -> Bool {
            switch unsafe -seccomp_arch_add(context, token) {
            case 0, Errno.EEXIST.rawValue: return true
            case SeccompCompiler.otherByteOrder: return false
            case let number:
                throw Failure("add the architecture \(name) of linux.seccomp.architectures", .seccomp, Errno(number))
            }
        }

        func add(
            _ call: CInt,
            _ action: SeccompConfiguration.Action,
            _ conditions: [SeccompConfiguration.Condition],
            _ place: @autoclosure () -> String
        ) throws(Failure) {
            let comparisons = conditions.map(SeccompCompiler.comparison)
            let result = unsafe seccomp_rule_add_array(
                context,
                SeccompCompiler.number(of: action),
                call,
                UInt32(comparisons.count),
                comparisons
            )
            switch Errno(-result) {
            case Errno(0): return
            case .EEXIST:
                throw Failure("\(place()): an earlier entry has another action for the same call and arguments")
            case let errno: throw Failure("\(place()): add the rule", .seccomp, errno)
            }
        }

        func export() throws(Failure) -> [UInt8] {
            do throws(Errno) {
                let file = try AnonymousFiles.make("apus-seccomp", executable: false)
                let result = unsafe seccomp_export_bpf(context, file.rawValue)
                if result < 0 { throw Errno(-result) }
                let size = try file.borrowed.facts().size
                return try file.borrowed.read(count: Int(clamping: size), at: 0)
            } catch {
                throw Failure("compile linux.seccomp to a filter program", .memfdCreate, error)
            }
        }
    }

    /// EDOM.
    private static let otherByteOrder: CInt = 33

    private static func number(of action: SeccompConfiguration.Action) -> UInt32 {
        switch action {
        case .killThread: CSECCOMP_ACT_KILL_THREAD
        case .killProcess: CSECCOMP_ACT_KILL_PROCESS
        case .trap: CSECCOMP_ACT_TRAP
        case .allow: CSECCOMP_ACT_ALLOW
        case .log: CSECCOMP_ACT_LOG
        case .notify: CSECCOMP_ACT_NOTIFY
        case .errno(let number): cseccomp_act_errno(number)
        case .trace(let number): cseccomp_act_trace(number)
        }
    }

    private static func comparison(_ condition: SeccompConfiguration.Condition) -> scmp_arg_cmp {
        let comparison: scmp_compare =
            switch condition.comparison {
            case .notEqual: SCMP_CMP_NE
            case .lessThan: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .equal: SCMP_CMP_EQ
            case .greaterOrEqual: SCMP_CMP_GE
            case .greaterThan: SCMP_CMP_GT
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            }
        return scmp_arg_cmp(
            arg: condition.index,
            op: comparison,
            datum_a: condition.value,
            datum_b: condition.valueTwo
        )
    }
}
