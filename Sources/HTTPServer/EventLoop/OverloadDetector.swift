// SPDX-License-Identifier: MIT

/// Decides by measured queueing delay when requests are shed.
///
/// A delay above the limit for a whole interval without a break is an overload; a burst is not.
struct OverloadDetector {
    private let delayMax: Int64
    private let interval: Int64
    private var lateSince: Int64?
    /// Whether requests that have waited too long are to be refused.
    private(set) var isShedding = false

    init(limits: borrowing ServerLimits) {
        delayMax = limits.queueDelayMax.nanoseconds
        interval = limits.queueDelayInterval.nanoseconds
    }

    /// Takes note of the longest wait of a turn that ends now.
    mutating func note(delay: Int64, now: Int64) {
        guard delay > delayMax else {
            lateSince = nil
            isShedding = false
            return
        }
        let since = lateSince ?? now
        lateSince = since
        isShedding = now - since >= interval
    }

    /// Whether a request that has waited so long is refused.
    func sheds(delay: Int64) -> Bool {
        isShedding && delay > delayMax
    }
}
