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
        guard let text = try? FileAccess.read("/proc/self/statm") else { return Size() }
        let pages = text.split(separator: UInt8(ascii: " ")).prefix(2).map { digits in
            digits.reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
        }
        guard pages.count == 2 else { return Size() }
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        return Size(
            virtualByteCount: pages[0] * pageBytes,
            residentByteCount: pages[1] * pageBytes
        )
    }

    /// Bytes that are in RAM.
    package static var residentByteCount: Int { size.residentByteCount }

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
}
