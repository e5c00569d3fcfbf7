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
}
