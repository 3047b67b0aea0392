// Kernels, and filters of engines, that lack a system call: each is taken away in turn, and the whole life of a
// container must work, or be refused in words that name the call and leave nothing.

import Foundation
import Testing

@Suite("Old kernels", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct OldKernelTests {
    /// Built beside the tests, whichever binary they are about.
    static let denier = TestMachine.products.appendingPathComponent("DenyCalls").path

    @Test(arguments: ["mount_setattr", "memfd_create", "fsopen"])
    func fallsBack(call: String) throws {
        try Sandbox.use("deny") { box in
            try box.configure(box.document("echo lives; cat /proc/sys/kernel/hostname; exit 5"))
            let outcome = try box.apus("run", box.id, prefix: [Self.denier, call])
            #expect(outcome.status == 5, "without \(call): \(outcome)")
            #expect(outcome.output == "lives\nbox\n", "without \(call): \(outcome)")
        }
    }

    /// Older than the floor of docs/KERNEL-FEATURES.md, or an engine's filter: what cannot be done without is named.
    @Test(arguments: ["clone3", "close_range", "openat2", "faccessat2", "open_tree", "move_mount", "statx", "execveat"])
    func worksOrSaysWhatIsMissing(call: String) throws {
        try Sandbox.use("missing") { box in
            try box.configure(box.document("exit 5"))
            let outcome = try box.apus("run", box.id, prefix: [Self.denier, call])
            if outcome.status == 5 { return }
            #expect(outcome.status == 1, "without \(call): \(outcome)")
            #expect(
                outcome.errors.hasPrefix("apus: ") && outcome.errors.contains("ENOSYS"),
                "without \(call): \(outcome)"
            )
            let leaks = Leaks.of(box)
            #expect(leaks.isEmpty, "without \(call): \(leaks)")
        }
    }
}
