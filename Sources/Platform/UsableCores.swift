// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc

/// The cores that this process may use.
package enum UsableCores {
    /// The number of them, at least 1: its affinity mask, and no more than its cgroup's CPU quota,
    /// rounded up.
    package static var count: Int {
        max(1, min(affinityCount, quotaCount ?? .max))
    }

    private static var affinityCount: Int {
        var set = cpu_set_t()
        // SAFETY: the set is valid for the call and its size is given.
        guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        // SAFETY: a cpu_set_t is a plain bit set; every bit pattern is read as bytes.
        return unsafe withUnsafeBytes(of: set) { bytes in
            unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        }
    }

    /// The quota of cgroup version 2, or 1, as a container sees its own.
    private static var quotaCount: Int? {
        if let text = text(of: "/sys/fs/cgroup/cpu.max") {
            let words = text.split(separator: " ")
            guard words.count == 2 else { return nil }
            return cores(quota: Int(words[0]), period: Int(words[1]))
        }
        return cores(
            quota: text(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us").flatMap { Int($0) },
            period: text(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us").flatMap { Int($0) }
        )
    }

    private static func cores(quota: Int?, period: Int?) -> Int? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return (quota + period - 1) / period
    }

    private static func text(of path: String) -> String? {
        guard let bytes = try? FileAccess.read(path, byteCountMax: 4096) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
