// Sockets that a service manager passes on; see sd_listen_fds(3). They come right after standard error and stay there
// for the container's program, which is told of them as if it had been started by the manager itself.

internal import LinuxSystem

/// `LISTEN_FDS` of this process.
package struct ListenDescriptors {
    /// 0 when there are none, or when they were meant for another process.
    package let count: Int
    /// What the container's program is told.
    package let environment: [String]

    /// - Parameter environment: This process's, `NAME=value`.
    package init(_ environment: [String]) {
        guard let process = environment.value(of: "LISTEN_PID"), process == "\(Processes.currentID)",
            let text = environment.value(of: "LISTEN_FDS"),
            let count = Int(text), (1...1024).contains(count)
        else {
            self.count = 0
            self.environment = []
            return
        }
        self.count = count
        let names = environment.value(of: "LISTEN_FDNAMES").map { ["LISTEN_FDNAMES=\($0)"] } ?? []
        self.environment = ["LISTEN_FDS=\(count)", "LISTEN_PID=1"] + names
    }
}
