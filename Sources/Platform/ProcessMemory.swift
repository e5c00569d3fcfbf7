// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc

/// The memory of this process, as the system sees it.
package enum ProcessMemory {
    /// Bytes of the address space.
    package static var virtualByteCount: Int { bytes(0) }

    /// Bytes that are in RAM.
    package static var residentByteCount: Int { bytes(1) }

    /// Bytes that the allocator has given out.
    package static var allocatedByteCount: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }

    /// Gives the pages that the allocator holds for no one back to the system.
    ///
    /// Those who allocate meanwhile may wait for a millisecond.
    package static func giveBack() {
        _ = malloc_trim(0)
    }

    /// A number of pages from /proc/self/statm, in bytes.
    private static func bytes(_ index: Int) -> Int {
        guard let text = try? FileAccess.read("/proc/self/statm") else { return 0 }
        let numbers = text.split(separator: UInt8(ascii: " "))
        guard numbers.indices.contains(index) else { return 0 }
        let pages = Int(String(decoding: numbers[index], as: UTF8.self)) ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
