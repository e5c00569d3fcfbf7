// SPDX-License-Identifier: MIT

/// Checksums of a record's parts: the words before the panes, and each pane.
///
/// They find what a power cut tore; only records of a ``StateFile`` carry them. A part is summed
/// with its checksum taken as 0.
extension RecordLayout {
    /// The words before the panes, relative to the record.
    var header: Range<Int> { 0..<panes }

    /// The words of the pane at this place among the panes, relative to the record.
    func pane(at place: Int) -> Range<Int> {
        panes + place * wordsPerPane..<panes + (place + 1) * wordsPerPane
    }

    /// The words of the pane that a reading of this timestamp goes into, relative to the record.
    func pane(of timestamp: Int64) -> Range<Int> {
        pane(at: panePosition(of: timestamp).place)
    }

    /// Gives every part of a record its checksum.
    func seal(_ words: inout MutableSpan<UInt64>) {
        sealHeader(&words)
        for place in 0..<paneCount { sealPane(&words, pane(at: place)) }
    }

    /// Gives the words before the panes their checksum.
    func sealHeader(_ words: inout MutableSpan<UInt64>) {
        words[Self.checksum] = 0
        words[Self.checksum] = Self.sum(words.span, header)
    }

    /// Gives a pane its checksum.
    func sealPane(_ words: inout MutableSpan<UInt64>, _ pane: Range<Int>) {
        let place = 2 * pane.lowerBound + Self.paneChecksumHalf
        words.setHalf(0, at: place)
        words.setHalf(Self.halfSum(words.span, pane), at: place)
    }

    /// Whether the words before the panes are as they were sealed, and numbers that records have.
    func isHeaderSound(_ words: inout MutableSpan<UInt64>) -> Bool {
        guard words[Self.idByteCount] <= UInt64(SpecLimits.equipmentIDBytesMax),
            isPossible(words)
        else { return false }
        let sum = words[Self.checksum]
        words[Self.checksum] = 0
        defer { words[Self.checksum] = sum }
        return Self.sum(words.span, header) == sum
    }

    /// Whether the numbers before the panes are such that arithmetic with them does not overflow.
    ///
    /// A checksum is no secret: whoever can write the file can make one for any words.
    private func isPossible(_ words: borrowing MutableSpan<UInt64>) -> Bool {
        let capacity = UInt32(Self.timestampRingCount)
        let last: Int64 = words.load(at: Self.lastTimestamp)
        return (last == .min || Timestamp.range.contains(last))
            && Timestamp.range.contains(words.load(at: Self.lastArrival))
            && RecordStanding.readings.contains(words[Self.readingCount])
            && RecordStanding.canBegin(
                withPane: words.load(at: Self.firstPane),
                paneMicroseconds: paneMicroseconds
            )
            && words.half(at: 2 * Self.ringCounts) <= capacity
            && words.half(at: 2 * Self.ringCounts + 1) < capacity
            && sinceStart.allSatisfy { words[$0.word] <= SinceStartTotals.countMax }
    }

    /// Whether a pane is as it was sealed.
    func isPaneSound(_ words: inout MutableSpan<UInt64>, _ pane: Range<Int>) -> Bool {
        let place = 2 * pane.lowerBound + Self.paneChecksumHalf
        let sum = words.half(at: place)
        words.setHalf(0, at: place)
        defer { words.setHalf(sum, at: place) }
        return Self.halfSum(words.span, pane) == sum
    }

    /// Makes those panes that are torn ones that never held a reading.
    ///
    /// - Returns: The words of those that were torn.
    func emptyTornPanes(_ words: inout MutableSpan<UInt64>) -> [Range<Int>] {
        var torn: [Range<Int>] = []
        for place in 0..<paneCount where !isPaneSound(&words, pane(at: place)) {
            let pane = pane(at: place)
            for word in pane { words[word] = 0 }
            words.store(.min, at: pane.lowerBound)
            sealPane(&words, pane)
            torn.append(pane)
        }
        return torn
    }

    /// The equipment id of a sound record.
    func id(_ words: borrowing MutableSpan<UInt64>) -> [UInt8] {
        (0..<Int(words[Self.idByteCount])).map { index in
            let word = words[Self.idBytes + index / 8]
            return UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8))
        }
    }

    private static func halfSum(_ words: Span<UInt64>, _ range: Range<Int>) -> UInt32 {
        let sum = sum(words, range)
        return UInt32(truncatingIfNeeded: sum ^ sum >> 32)
    }

    /// Multiply-and-fold over two words a step in two chains, so that multiplications overlap.
    static func sum(_ words: Span<UInt64>, _ range: Range<Int>) -> UInt64 {
        let part = words.extracting(range)
        var even: UInt64 = 0x9E37_79B9_7F4A_7C15
        var odd: UInt64 = 0xC2B2_AE3D_27D4_EB4F
        var index = 0
        while index &+ 4 <= part.count {
            even = foldedProduct(even ^ part[index], key ^ part[index &+ 1])
            odd = foldedProduct(odd ^ part[index &+ 2], key ^ part[index &+ 3])
            index &+= 4
        }
        while index < part.count {
            even = foldedProduct(even ^ part[index], key)
            index &+= 1
        }
        return foldedProduct(even ^ odd, key ^ UInt64(truncatingIfNeeded: part.count))
    }

    private static let key: UInt64 = 0xD6E8_FEB8_6659_FD93
}
