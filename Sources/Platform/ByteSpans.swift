// SPDX-License-Identifier: MIT

extension OutputSpan where Element == UInt8 {
    /// Appends a copy of the bytes.
    ///
    /// Inlinable for the encoders of requests and answers, which call it for pieces of some bytes.
    @inlinable @inline(__always)
    package mutating func append(copying bytes: Span<UInt8>) {
        let count = bytes.count
        precondition(count <= freeCapacity, "the output has no room")
        // SAFETY: the room was checked above, and a span never overlaps uninitialised memory.
        unsafe withUnsafeMutableBufferPointer { output, initializedCount in
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let base = output.baseAddress, let from = source.baseAddress else { return }
                unsafe (base + initializedCount).initialize(from: from, count: count)
            }
            initializedCount += count
        }
    }
}

extension [UInt8] {
    /// Appends a copy of the bytes.
    ///
    /// None are not appended: the library writes the count all the same, for an array without
    /// memory in the place of all empty ones, which several threads would do at once.
    @inlinable @inline(__always)
    package mutating func append(copying bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        append(addingCapacity: bytes.count) { $0.append(copying: bytes) }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends eight bytes, the lowest first.
    ///
    /// Inlinable for texts of fixed form, which are put together in a word.
    @inlinable @inline(__always)
    package mutating func append(word: UInt64) {
        precondition(freeCapacity >= 8, "the output has no room")
        // SAFETY: the room was checked above; the bytes need no alignment.
        unsafe withUnsafeMutableBufferPointer { output, initializedCount in
            guard let base = output.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(base + initializedCount)
                .storeBytes(of: word.littleEndian, as: UInt64.self)
            initializedCount += 8
        }
    }
}

extension Span where Element == UInt8 {
    /// The eight bytes from `index` up as one little-endian word.
    ///
    /// Inlinable for loops over requests, which look at eight bytes at a time.
    @inlinable @inline(__always)
    package func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && count >= 8 && index <= count &- 8, "the word is not in the span")
        // SAFETY: the eight bytes were checked to lie in the span; they need no alignment.
        return unsafe withUnsafeBytes { bytes in
            unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }

    /// The bytes from `index` up, at most eight, as a little-endian word with zeros above them.
    ///
    /// Inlinable for keys of some bytes, which are compared and hashed by words.
    @inlinable @inline(__always)
    package func paddedWord(at index: Int) -> UInt64 {
        let left = count &- index
        if left >= 8 { return word(at: index) }
        if count >= 8 { return word(at: count &- 8) >> UInt64(8 &* (8 &- left)) }
        var word: UInt64 = 0
        for place in 0..<left { word |= UInt64(self[index &+ place]) << UInt64(8 &* place) }
        return word
    }
}
