// Who this process is outside of its user namespace.

/// User ids of the machine; see user_namespaces(7).
package enum UserNamespaces {
    /// The effective user id as the parent of this user namespace sees it: an ordinary user's, for its engine's root.
    package static var outerUserID: UInt32 {
        let own = Processes.effectiveUserID
        guard let bytes = try? BorrowedFD.workingDirectory.contents(of: "/proc/self/uid_map", limit: 65_536) else {
            return own
        }
        return outer(own, map: String(decoding: bytes, as: UTF8.self)) ?? own
    }

    /// - Parameter map: Lines of the first id inside, the first id outside, and a count.
    package static func outer(_ id: UInt32, map: String) -> UInt32? {
        for line in map.split(separator: "\n" as Character) {
            let numbers = line.split(separator: " " as Character).compactMap { UInt32($0) }
            guard numbers.count == 3, id >= numbers[0], id - numbers[0] < numbers[2] else { continue }
            return numbers[1] &+ (id - numbers[0])
        }
        return nil
    }
}
