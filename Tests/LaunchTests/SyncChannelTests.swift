// What one side of a birth hears when the other was killed before it read all it was told: first a reset of the
// connection, then what was said, then the end; see unix(7).

import Foundation
import Launch
import LinuxSystem
import Testing

@Suite("Channels of a birth")
struct SyncChannelTests {
    /// The end of a channel whose other side said something and is gone, with something unread.
    private static func withReset(said: [SyncMessage], _ body: (SyncChannel) throws -> Void) throws {
        let (own, other) = try Sockets.pair().release()
        defer { close(own) }
        let channel = SyncChannel(BorrowedFD(rawValue: own))
        try channel.tell(.start)
        for message in said { try SyncChannel(BorrowedFD(rawValue: other)).tell(message, number: 5) }
        close(other)
        try body(channel)
    }

    @Test func aMessageIsHeardAndThenTheEnd() throws {
        try Self.withReset(said: [.ready]) { channel in
            let number = try channel.wait(for: .ready)
            let end = try channel.wait(for: .listenerReady)
            #expect(number == 5 && end == nil)
        }
    }

    @Test(arguments: [[], [SyncMessage.executing]])
    func theEndAloneIsNoExecution(said: [SyncMessage]) throws {
        try Self.withReset(said: said) { channel in
            let executes = try channel.waitForExecution()
            #expect(executes == !said.isEmpty)
        }
    }

    @Test func noDescriptorsCome() throws {
        try Self.withReset(said: []) { channel in
            let came = try channel.waitForDescriptors(.placed) != nil
            #expect(!came)
        }
    }
}
