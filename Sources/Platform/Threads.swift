// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Glibc

/// Threads of the process.
package enum Threads {
    /// How many of so many threads more the system lets the process have at once.
    ///
    /// To be asked at the start: where Dispatch gets no thread it says nothing, and whoever gave it
    /// work stands still until it gets one.
    package static func available(of wanted: Int) -> Int {
        let gate = DispatchSemaphore(value: 0)
        var threads: [pthread_t] = []
        for _ in 0..<wanted {
            guard let thread = begin(behind: gate) else { break }
            threads.append(thread)
        }
        for _ in threads { gate.signal() }
        for thread in threads { pthread_join(thread, nil) }
        return threads.count
    }

    /// A thread that waits for the gate and ends; nil where there is none.
    private static func begin(behind gate: DispatchSemaphore) -> pthread_t? {
        var thread = pthread_t()
        // SAFETY: the thread takes the reference over that it is given; where there is no thread it
        // is given back.
        let context = unsafe Unmanaged.passRetained(gate)
        let code = unsafe pthread_create(&thread, nil, wait, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            return nil
        }
        return thread
    }

    private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { context in
            // SAFETY: the reference that `begin` gave away.
            guard let context = unsafe context else { return nil }
            unsafe Unmanaged<DispatchSemaphore>.fromOpaque(context).takeRetainedValue().wait()
            return nil
        }
}
