// SPDX-License-Identifier: MIT

internal import Glibc

/// How many descriptors the process may have open (getrlimit(2)).
enum DescriptorLimit {
    /// Raises the soft limit to what is wanted, or as far as the hard one lets it: the usual 1024
    /// is there for select(2), which nobody calls.
    ///
    /// - Returns: What it is then, or what is wanted where the system does not tell.
    static func raise(to wanted: Int) -> Int {
        var limit = rlimit()
        // SAFETY: the structure is valid for the call, here and below.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return wanted
        }
        if limit.rlim_cur < rlim_t(wanted) {
            let before = limit.rlim_cur
            limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
            let result = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            if result != 0 { limit.rlim_cur = before }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many of so many descriptors connections may take: the rest is for listeners, loops and
    /// files.
    static func connections(of descriptorCount: Int, loopCount: Int) -> Int {
        max(descriptorCount / 4, descriptorCount - reserve(loopCount: loopCount))
    }

    /// Descriptors that are kept for other things than clients' connections.
    static func reserve(loopCount: Int) -> Int { 128 + 8 * loopCount }
}
