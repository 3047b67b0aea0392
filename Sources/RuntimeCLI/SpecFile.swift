// `spec`: writes a configuration to begin with.

internal import Configuration
internal import Diagnostics
internal import JSON
internal import Launch
internal import LinuxSystem
internal import OCISpec

/// The new config.json.
enum SpecFile {
    static func write(_ options: SpecOptions) throws(Failure) {
        let path = options.file ?? "\(options.bundle)/config.json"
        var spec = RuntimeSpec.template(
            rootless: options.rootless,
            uid: Processes.effectiveUserID,
            gid: Processes.effectiveGroupID
        )
        // Only with cgroup v2 does a cgroup namespace hide what it should.
        if HostProbe.facts().cgroupMode == .unified { spec.linux?.namespaces?.append(Namespace(type: "cgroup")) }
        let bytes: [UInt8]
        do throws(JSONError) {
            bytes = try JSONEncoder(indent: "\t").encode(spec)
        } catch {
            throw Failure("encode the configuration: \(error)")
        }
        do throws(Errno) {
            let file = try BorrowedFD.workingDirectory.open(path, [.writeOnly, .create, .exclusive], mode: 0o666)
            try file.borrowed.write(bytes + [UInt8(ascii: "\n")])
        } catch .EEXIST {
            throw Failure("file \(path) exists; remove it first", .failed, subject: path)
        } catch {
            throw Failure("write \(path)", .write, error, subject: path)
        }
    }
}
