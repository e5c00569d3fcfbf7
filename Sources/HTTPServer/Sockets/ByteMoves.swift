// SPDX-License-Identifier: MIT

internal import Glibc

extension [UInt8] {
    /// Moves a range of bytes to a lower or higher place; the two may overlap.
    mutating func moveBytes(_ range: Range<Int>, to target: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count && target >= 0)
        precondition(target + range.count <= count)
        guard !range.isEmpty, range.lowerBound != target else { return }
        // SAFETY: both ranges lie within the array, as checked above; memmove allows overlap.
        unsafe withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe memmove(base + target, base + range.lowerBound, range.count)
        }
    }

    /// Makes a buffer longer, by bytes that are to be written over.
    mutating func appendZeros(_ count: Int) {
        guard count > 0 else { return }
        append(addingCapacity: count) { output in
            // SAFETY: so many bytes of the output are free, and all of them are written.
            unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                guard let base = buffer.baseAddress else { return }
                unsafe memset(base + initializedCount, 0, count)
                initializedCount += count
            }
        }
    }
}
