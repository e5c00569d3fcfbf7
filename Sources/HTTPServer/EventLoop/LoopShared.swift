// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform
internal import Synchronization

/// What all loops of a server have in common.
///
/// - Note: Thread safety: constants and atomics.
final class LoopShared: Sendable {
    let limits: ServerLimits
    let loopCount: Int
    let routes: RouteTable
    let handler: any RequestHandler
    let clock: MonotonicClock
    let wallClock: WallClock
    /// Where large answers are encoded.
    let encoding = DispatchQueue(label: "http.encoding", attributes: .concurrent)
    /// Where large gzip bodies are decoded.
    let decoding: DecodingQueue
    /// What the bodies of all connections take.
    let bodies: ByteBudget
    let isDraining = Atomic(false)
    /// Open connections of all loops, for the limit.
    let connectionCount = Atomic(0)
    /// How many there may be: what is set, or less where descriptors are short.
    let connectionCountMax = Atomic(0)
    /// Connections beyond these that the operators' listener takes, so that no number of clients
    /// makes a probe fail.
    static let operatorConnectionCountMax = 32

    init(
        limits: ServerLimits,
        loopCount: Int,
        routes: RouteTable,
        handler: any RequestHandler,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        self.limits = limits
        self.loopCount = loopCount
        connectionCountMax.store(limits.connectionCountMax, ordering: .relaxed)
        bodies = ByteBudget(byteCountMax: limits.bodyBytesPendingMax)
        // Half of the cores go on with what comes in the clear.
        let workerCount = max(1, UsableCores.count / 2)
        decoding = DecodingQueue(workerCount: workerCount, clock: clock)
        self.routes = routes
        self.handler = handler
        self.clock = clock
        self.wallClock = wallClock
    }
}

extension Duration {
    /// The duration in whole nanoseconds.
    package var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
