// What every valid configuration becomes, step by step, as kept in spec-fixtures/plans and docs/LIFECYCLE.md. A change
// of behaviour is a difference in these files. APUS_UPDATE_GOLDENS=1 writes them anew.

import Foundation
import Launch
import Testing

@Suite("Golden plans")
struct GoldenTests {
    /// Where cgroups follow init: with a cgroup mount, with hooks, with a user namespace.
    static let hybrids = [
        "default-on-hybrid", "hooks-on-hybrid", "namespace-cgroup-on-hybrid", "user-namespace-on-hybrid",
    ]

    @Test(arguments: Plans.names + hybrids)
    func plan(name: String) throws {
        try Plans.expect(try Plans.text(name), isIn: "spec-fixtures/plans/\(name).txt")
    }

    @Test func everyGoldenHasItsConfiguration() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Plans.fixtures.appending(path: "plans").path)
        #expect(files.sorted() == (Plans.names + Self.hybrids).map { $0 + ".txt" }.sorted())
    }

    @Test func theDocument() throws {
        let text = """
            # The life of a container

            The steps of create, start, delete and exec for one configuration that uses most of what there is
            (`spec-fixtures/config/valid/default.json`), for the same with `--systemd-cgroup`, and for one that needs
            the intermediate process (`namespaces-all.json`). The lists are in `Sources/Launch/Birth.swift`, with the
            reasons for their order; `apus explain` prints those of any bundle. `tell` and `waitFor` are where the
            processes meet.

            This file is made from the lists by `APUS_UPDATE_GOLDENS=1 swift test --filter LaunchTests`, and a test
            checks it.

            ## default.json

            ```
            \(try Plans.text("default"))
            \(try Plans.execText("default"))```

            ## default.json, in a scope of systemd

            ```
            \(try Plans.text("default.systemd"))```

            ## namespaces-all.json

            ```
            \(try Plans.text("namespaces-all"))```

            ## hooks.json

            ```
            \(try Plans.text("hooks"))```

            """
        try Plans.expect(text, isIn: "docs/LIFECYCLE.md")
    }

    /// The facts are given: this machine's own have no part in it.
    @Test func plansAreTheSameEverywhere() throws {
        for name in Plans.names { #expect(try Plans.plan(name) == Plans.plan(name)) }
    }
}
