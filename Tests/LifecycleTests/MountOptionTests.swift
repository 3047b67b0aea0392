// Options of bind mounts that crun has and podman passes on: links that are not followed, mappings among the options.

import Foundation
import Testing

@Suite("Mount options", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct MountOptionTests {
    /// Runs a container with one bind mount; what it prints.
    private func run(_ box: Sandbox, _ source: String, _ options: [String], _ script: String) throws -> Outcome {
        var document = box.document(script)
        let mount: Document = ["destination": "/tmp/place", "source": source, "type": "bind", "options": options]
        document["mounts"] = (document["mounts"] as? [Document] ?? []) + [mount]
        try box.configure(document)
        return try box.apus("run", box.id)
    }

    private func makeLink(_ box: Sandbox) throws -> String {
        try Data("followed".utf8).write(to: URL(fileURLWithPath: box.directory + "/text"))
        let link = box.directory + "/link"
        try #require(symlink(box.directory + "/text", link) == 0)
        return link
    }

    @Test func aLinkIsFollowedUnlessToldOtherwise() throws {
        try Sandbox.use("linkfollow") { box in
            let link = try makeLink(box)
            let script = "cat /tmp/place; grep -c ' /tmp/place ' /proc/self/mountinfo; readlink /tmp/place"
            let followed = try run(box, link, ["bind"], script)
            #expect(followed.output == "followed1\n", "\(followed)")

            // The mount is the link: what it leads to is not in the container.
            let kept = try run(box, link, ["bind", "src-nofollow"], script)
            #expect(kept.output == "1\n\(box.directory)/text\n", "\(kept)")

            try? FileManager.default.removeItem(atPath: box.rootfs + "/tmp/place")
            let copied = try run(box, link, ["rbind", "copy-symlink"], script)
            #expect(copied.output == "0\n\(box.directory)/text\n", "\(copied)")
            // Again: the same link is there already.
            #expect(try run(box, link, ["rbind", "copy-symlink"], "readlink /tmp/place").status == 0)
            unlink(box.rootfs + "/tmp/place")
            try Data("own".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/tmp/place"))
            let taken = try run(box, link, ["bind", "copy-symlink"], "true")
            #expect(taken.status == 1 && taken.errors.contains("make the link /tmp/place of mounts[3]"), "\(taken)")
        }
    }

    @Test func aDestinationThatIsALinkCanBeMountedOn() throws {
        try Sandbox.use("linkplace") { box in
            _ = try makeLink(box)
            try #require(symlink("/tmp/elsewhere", box.rootfs + "/tmp/place") == 0)
            let script = "cat /tmp/place; ls /tmp; grep -c ' /tmp/place ' /proc/self/mountinfo"
            let through = try run(box, box.directory + "/text", ["bind"], script)
            #expect(through.output == "followedelsewhere\nplace\n0\n", "\(through)")
            unlink(box.rootfs + "/tmp/elsewhere")
            let upon = try run(box, box.directory + "/text", ["bind", "dest-nofollow"], script)
            #expect(upon.output == "followedplace\n1\n", "\(upon)")
        }
    }

    /// As the directory that it covers; where there was none, as the kernel makes it.
    @Test func theModeOfATmpfs() throws {
        try Sandbox.use("tmpfsmode") { box in
            chmod(box.rootfs + "/etc", 0o710)
            var document = box.document("for d in /etc /tmp/new /tmp/own; do /bin/busybox stat -c %a $d; done")
            let mounts: [Document] = [
                ["destination": "/etc", "type": "tmpfs", "source": "tmpfs"],
                ["destination": "/tmp/new", "type": "tmpfs", "source": "tmpfs"],
                ["destination": "/tmp/own", "type": "tmpfs", "source": "tmpfs", "options": ["mode=700"]],
            ]
            document["mounts"] = (document["mounts"] as? [Document] ?? []) + mounts
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.output == "710\n1777\n700\n", "\(outcome)")
        }
    }

    @Test func mappingsAmongTheOptions() throws {
        try Sandbox.use("idmapword") { box in
            let text = box.directory + "/text"
            try Data("text".utf8).write(to: URL(fileURLWithPath: text))
            try #require(chown(text, 1005, 2006) == 0)
            let word = "idmap=uids=0-0-1#1000-5000-10;gids=2000-7000-10"
            let mapped = try run(box, text, ["bind", word], "ls -ln /tmp/place")
            let columns = mapped.output.split(separator: " ")
            #expect(columns.count > 3 && columns[2] == "5005" && columns[3] == "7006", "\(mapped)")

            for wrong in ["idmap=uids=0-0", "idmap=uids=0-0-1", "idmap=", "ridmap=uids=a-b-c;gids=0-0-1"] {
                let outcome = try run(box, text, ["bind", wrong], "true")
                #expect(outcome.status == 1, "\(outcome)")
                let place = "mounts[3].options[1]: expected idmap=uids=A-B-C;gids=A-B-C"
                #expect(outcome.errors.contains(place), "\(outcome)")
            }
        }
    }

    /// Behind `@` the second number counts in the container's user namespace.
    @Test func relativeMappings() throws {
        try Sandbox.use("idmaprelative") { box in
            let text = box.directory + "/text"
            try Data("text".utf8).write(to: URL(fileURLWithPath: text))
            var document = box.document("ls -ln /tmp/place")
            document.change("linux") { linux in
                linux["namespaces"] = ["pid", "mount", "ipc", "uts", "user"].map { ["type": $0] }
                let map: [Document] = [["containerID": 0, "hostID": 100_000, "size": 1000]]
                linux["uidMappings"] = map
                linux["gidMappings"] = map
            }
            let mount: Document = [
                "destination": "/tmp/place", "source": text, "type": "bind",
                "options": ["bind", "idmap=uids=@0-3-10;gids=@0-4-10"],
            ]
            document["mounts"] = (document["mounts"] as? [Document] ?? []) + [mount]
            for path in [box.directory, box.bundle, box.rootfs, box.rootfs + "/tmp"] { chmod(path, 0o777) }
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            let columns = outcome.output.split(separator: " ")
            #expect(columns.count > 3 && columns[2] == "3" && columns[3] == "4", "\(outcome)")
        }
    }
}
