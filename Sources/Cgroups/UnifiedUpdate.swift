// `update` on cgroup v2. The device program comes last: its exchange is atomic.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

extension UnifiedDriver {
    func update(_ resources: ResourceConfiguration, devices: DeviceChange?) throws(Failure) {
        let writes = try ResourceTranslation.unified(resources)
        let directory = try required("change the limits of the container")
        let change = try CgroupUpdate(writes) { _ in directory }
        try change.perform(
            last: { () throws(Failure) in
                if let devices { try DevicePolicy.install(DeviceProgram(rules: devices.new), on: directory) }
            },
            explain: { failure, write, directory throws(Failure) in
                try explained(failure, of: write, in: directory)
            }
        )
    }
}
