// 64 bits that tell texts apart, eight bytes at a time. Not a cryptographic hash: who wants can find two texts with the same
// one. SeccompCache.swift names files by it, and compares the whole text before it believes one. Pure.

enum Fingerprint {
    /// Any change of eight bytes changes it: each step can be undone.
    static func of(_ slice: ArraySlice<UInt8>) -> UInt64 {
        let text = slice.span
        let bytes = unsafe text.bytes
        var state = UInt64(text.count)
        var place = 0
        // SAFETY: eight bytes are there.
        while place + 8 <= text.count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            state = mixed(state ^ word)
            place += 8
        }
        while place < text.count {
            state = mixed(state ^ UInt64(text[place]))
            place += 1
        }
        return state
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        // An odd factor, the fraction of the golden ratio, carries upwards; the shift brings it down again.
        let product = value &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }

    /// Whether two texts are the same.
    static func isSame(_ slice: ArraySlice<UInt8>, _ otherSlice: ArraySlice<UInt8>) -> Bool {
        let one = slice.span
        let other = otherSlice.span
        guard one.count == other.count else { return false }
        let first = unsafe one.bytes
        let second = unsafe other.bytes
        var place = 0
        var difference: UInt64 = 0
        // SAFETY: eight bytes are there, in both.
        while place + 8 <= one.count {
            unsafe difference |=
                first.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
                ^ second.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            place += 8
        }
        while place < one.count {
            difference |= UInt64(one[place] ^ other[place])
            place += 1
        }
        return difference == 0
    }
}
