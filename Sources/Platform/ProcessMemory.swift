// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc

/// The memory of this process, as the system sees it.
package enum ProcessMemory {
    /// Address space, and what of it is in RAM.
    package struct Size: Sendable {
        /// Bytes of the address space.
        package var virtualByteCount = 0
        /// Bytes that are in RAM.
        package var residentByteCount = 0
    }

    /// The process' size now; 0 where the system does not tell.
    package static var size: Size {
        // Seven numbers of at most 20 digits, with a space each.
        var text = InlineArray<160, UInt8>(repeating: 0)
        var span = text.mutableSpan
        // SAFETY: the kernel writes at most as many bytes as the buffer has.
        let count = unsafe span.withUnsafeMutableBytes { buffer in
            unsafe pread(statistics, buffer.baseAddress, buffer.count, 0)
        }
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        var pages = InlineArray<2, Int>(repeating: 0)
        var field = 0
        for place in 0..<max(0, count) where field < 2 {
            let digit = span[place] &- UInt8(ascii: "0")
            if digit < 10 { pages[field] = pages[field] * 10 + Int(digit) } else { field += 1 }
        }
        return Size(
            virtualByteCount: pages[0] * pageBytes,
            residentByteCount: pages[1] * pageBytes
        )
    }

    /// Stays open, so that a look takes one call.
    private static let statistics =
        // SAFETY: Swift passes the string NUL-terminated for the duration of the call.
        unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)

    /// Bytes that are in RAM.
    package static var residentByteCount: Int { size.residentByteCount }

    /// Bytes that the allocator has given out.
    package static var allocatedByteCount: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }

    /// Sets the allocator up so that all it holds for no one can be given back, and only if asked.
    ///
    /// By itself glibc has an arena for each thread, and ``giveBack()`` does not reach the end
    /// of any but the first: up to 64 MB each stayed there. In return nothing is given back while
    /// requests come, where the page faults of the next one would cost it a third more.
    ///
    /// - Parameter arenaCount: Threads that allocate at once wait for each other in fewer than they
    ///   are. To be called before there is a second thread: who has an arena keeps it.
    /// - SeeAlso: mallopt(3), malloc_trim(3).
    package static func keepUntilAsked(arenaCount: Int) {
        _ = mallopt(M_ARENA_MAX, Int32(clamping: arenaCount))
        // The largest that glibc takes, and what it would come to by itself.
        _ = mallopt(M_MMAP_THRESHOLD, 32 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 64 << 20)
    }

    /// Gives the pages that the allocator holds for no one back to the system.
    ///
    /// Those who allocate meanwhile may wait for a millisecond.
    package static func giveBack() {
        _ = malloc_trim(0)
    }
}
