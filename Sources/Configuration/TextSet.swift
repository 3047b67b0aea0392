// Which of many texts are equal, byte by byte. The standard library's sets do it as well, but the first use of each kind of
// set costs a container's birth a fiftieth of a millisecond of metadata, and these lists are mostly short.

/// Texts that are all different.
struct TextSet {
    private var texts: [String] = []
    /// Indices of texts, by hash; -1 is free. A power of two, at most half full.
    private var slots: [Int32]

    /// - Parameter capacity: How many texts there will be at most.
    init(capacity: Int) {
        var size = 8
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        texts.reserveCapacity(capacity)
    }

    /// Adds a text.
    /// - Returns: Whether it was not there.
    mutating func insert(_ text: String) -> Bool {
        // FNV-1a: whoever writes a config to make these collide slows down its own container.
        var hash: UInt32 = 2_166_136_261
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            if texts[Int(slots[slot])].utf8.elementsEqual(text.utf8) { return false }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(texts.count)
        texts.append(text)
        return true
    }
}
