// A filter that is ready to be loaded: prepared in the runtime before the first clone (from the cache or by compiling),
// loaded in init by handing its bytes to the kernel. Called by Launch, and by Lifecycle for what is in the cache.

package import Configuration
package import Diagnostics
package import LinuxSystem

/// A filter program and how to load it.
package struct SeccompFilter: Equatable, Sendable {
    /// 8 bytes an instruction, in the machine's byte order.
    package let program: [UInt8]
    /// `SECCOMP_FILTER_FLAG_*` bits of seccomp(2).
    package let flags: UInt32

    /// A program made elsewhere.
    package init(program: [UInt8], flags: UInt32) {
        self.program = program
        self.flags = flags
    }

    /// Whether loading returns a descriptor on which an agent answers.
    package var hasListener: Bool { flags & SeccompProfile.LoadFlags.newListener != 0 }

    /// What to do about calls that libseccomp has no name for.
    package enum UnknownCalls: Sendable {
        /// Their rules have no effect: the default action, or the answer for new calls, holds.
        case skipped
        /// Annotation `run.oci.seccomp_fail_unknown_syscall`.
        case refused
    }

    /// A prepared filter and what is to be said about it.
    package struct Preparation: Equatable, Sendable {
        package let filter: SeccompFilter
        /// One sentence each.
        package let warnings: [String]
    }

    /// The section whose text this is, with the filter that was made of it before.
    /// - Parameter cache: The directory that `prepare` writes to.
    /// - Returns: `nil` when there is none that can be believed.
    package static func known(_ text: ArraySlice<UInt8>, in cache: BorrowedFD) -> SeccompSection? {
        SeccompCache(cache, text: text)?.load()
    }

    /// Makes the filter of a seccomp section.
    /// - Parameter cache: A directory that belongs to this user and that nobody else can write to: there the filter is
    ///   kept. Trouble with it is a warning, never a failure.
    package static func prepare(
        _ section: SeccompSection,
        cache: BorrowedFD?,
        unknownCalls: UnknownCalls = .skipped
    ) throws(Failure) -> Preparation {
        var warnings: [String] = []
        let compiled: CompiledFilter
        switch section.source {
        case .compiled(let known): compiled = known
        case .rules(let configuration, let text):
            compiled = try compile(configuration)
            if let cache, let trouble = SeccompCache(cache, text: text[...])?.store(compiled, of: section) {
                warnings.append(trouble.line)
            }
        }
        if !compiled.unknownCalls.isEmpty {
            let text =
                "linux.seccomp.syscalls: libseccomp \(SeccompCompiler.libraryVersion) does not know "
                + compiled.unknownCalls.joined(separator: ", ")
            if unknownCalls == .refused {
                throw Failure(
                    text,
                    .unsupported,
                    subject: "linux.seccomp.syscalls",
                    hint: "remove the annotation run.oci.seccomp_fail_unknown_syscall to skip them"
                )
            }
            warnings.append("\(text): skipped")
        }
        if !compiled.foreignArchitectures.isEmpty {
            warnings.append(
                "linux.seccomp.architectures: this machine cannot run "
                    + "\(compiled.foreignArchitectures.joined(separator: ", ")): skipped"
            )
        }
        let filter = SeccompFilter(program: compiled.program, flags: compiled.flags)
        return Preparation(filter: filter, warnings: warnings)
    }

    private static func compile(_ configuration: SeccompConfiguration) throws(Failure) -> CompiledFilter {
        try SeccompProfile.check(configuration)
        let flags = try SeccompProfile.loadFlags(configuration) { Seccomp.knows(flags: $0) }
        return try SeccompCompiler.compile(configuration, flags: flags)
    }

    /// Loads the filter into this process.
    /// - Returns: The listener's descriptor number, when there is one.
    static func load(_ filter: SeccompFilter?) throws(Failure) -> CInt? {
        guard let filter else {
            throw Failure("load the filter of linux.seccomp: none was prepared")
        }
        do throws(Errno) {
            let result = try Seccomp.install(filter.program, flags: filter.flags)
            return filter.hasListener ? result : nil
        } catch {
            throw Failure(
                "load the filter of linux.seccomp",
                .seccomp,
                error,
                detail: "\(filter.program.count / 8) instructions, flags 0x\(String(filter.flags, radix: 16))",
                hint: error == .EACCES
                    ? "without process.noNewPrivileges this needs CAP_SYS_ADMIN in the container's user namespace" : nil
            )
        }
    }
}

extension SeccompFilter {
    /// The version of libseccomp that is linked, as in `2.5.4`.
    package static var libraryVersion: String { SeccompCompiler.libraryVersion }
}
