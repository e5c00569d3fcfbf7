// SPDX-License-Identifier: MIT

import Glibc
import Platform
import Testing

struct StandardStreamsTests {
    /// A pipe takes 64 KiB; a thousand lines are many times that.
    @Test func aLogThatNobodyReadsHoldsNobodyUp() async {
        await #expect(processExitsWith: .exitCode(0)) {
            // A line that waits would wait for good.
            alarm(60)
            var ends: [Int32] = [0, 0]
            // SAFETY: there is room for both ends.
            guard unsafe ends.withUnsafeMutableBufferPointer({ unsafe pipe($0.baseAddress) }) == 0,
                dup2(ends[1], STDERR_FILENO) == STDERR_FILENO
            else { _exit(2) }
            let start = ContinuousClock.now
            for _ in 0..<1000 { StandardError.log([UInt8](repeating: 0x61, count: 1000)) }
            guard start.duration(to: .now) < .seconds(10) else { _exit(3) }
            // Read again, it is written to again.
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            // SAFETY: the buffer outlives the call and its count is given.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(ends[0], bytes.baseAddress, bytes.count)
            }
            StandardError.log([0x62])
            // SAFETY: as above.
            let more = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(ends[0], bytes.baseAddress, bytes.count)
            }
            _exit(count > 4096 && more == 1 && buffer[0] == 0x62 ? 0 : 4)
        }
    }
}
