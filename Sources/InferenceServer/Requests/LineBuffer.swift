// SPDX-License-Identifier: MIT

internal import Platform

/// Cuts a body into lines, whatever the pieces that it comes in, and holds no more of it than the
/// lines that are whole and the start of the next one.
struct LineBuffer: Sendable {
    /// What has come and was not dropped.
    private(set) var bytes: [UInt8] = []
    /// Where the last whole line ends; what follows waits for more.
    private(set) var wholeEnd = 0
    /// Whether the rest of a line that was too long is being passed over.
    private var isSkipping = false
    private let lineBytesMax: Int

    /// Memory above this is given back with the lines that had it: others may be long in coming.
    private static let keptBytesMax = 4096

    init(lineBytesMax: Int) {
        self.lineBytesMax = lineBytesMax
    }

    /// Whether more lines are whole than so many.
    func hasMoreLines(than countMax: Int) -> Bool { end(ofLines: countMax) < wholeEnd }

    /// Where so many of the lines end that are not empty, or all that are whole.
    func end(ofLines countMax: Int, from first: Int = 0) -> Int {
        let whole = bytes.span.extracting(0..<wholeEnd)
        var start = first
        var left = countMax
        while left > 0 {
            guard let end = whole.lineEnd(from: start) else { return wholeEnd }
            let isEmpty = end == start || end == start + 1 && whole[start] == UInt8(ascii: "\r")
            if !isEmpty { left -= 1 }
            start = end + 1
        }
        return start
    }

    /// Drops the lines that are whole.
    mutating func dropWhole() {
        guard wholeEnd > 0 else { return }
        if bytes.capacity > Self.keptBytesMax {
            let rest = bytes[wholeEnd...]
            bytes = [UInt8](capacity: rest.count) { $0.append(copying: rest.span) }
        } else {
            bytes.removeSubrange(0..<wholeEnd)
        }
        wholeEnd = 0
    }

    /// Drops the lines that were whole and adds a piece.
    ///
    /// The last line of a body is whole without a line end. Of a line that is too long the first
    /// bytes, one more than are allowed at least, become a whole line, and the rest is passed over.
    mutating func add(_ piece: Span<UInt8>, isLast: Bool) {
        dropWhole()
        var start = 0
        if isSkipping {
            guard let end = piece.lineEnd(from: 0) else { return }
            isSkipping = false
            start = end + 1
        }
        let held = bytes.count
        bytes.append(copying: piece.extracting(start..<piece.count))
        if isLast {
            wholeEnd = bytes.count
            return
        }
        var end = bytes.count
        while end > held, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        if end > held { wholeEnd = end }
        // A byte beyond may be the CR of the line's end.
        let endCount = bytes.last == UInt8(ascii: "\r") ? 1 : 0
        if bytes.count - wholeEnd - endCount > lineBytesMax {
            wholeEnd = bytes.count
            isSkipping = true
        }
    }
}

extension Span where Element == UInt8 {
    /// Where the next line feed at or behind a place is.
    func lineEnd(from start: Int) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = start
        while index + 8 <= count {
            let differs = word(at: index) ^ ones &* 0x0A
            // The lowest high bit that is set stands for the first byte that is a line feed.
            let found = (differs &- ones) & ~differs & (ones &* 0x80)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            if self[index] == UInt8(ascii: "\n") { return index }
            index += 1
        }
        return nil
    }
}
