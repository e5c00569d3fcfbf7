// SPDX-License-Identifier: MIT

extension HTTP1Connection {
    /// What the machine needs to know of its surroundings.
    ///
    /// One for each loop, and a class so that it is not copied for each request.
    final class Context {
        let routes: RouteTable
        let limits: ServerLimits
        let timeouts: LoopTimeouts
        /// Who is asked for streams.
        let handler: (any RequestHandler)?
        /// What the bodies of all connections take.
        let bodies: ByteBudget
        /// What the answers of the loop's connections take that are not read.
        let unread: ByteBudget
        /// The `Date` field as it goes out, with its CRLF; empty for none.
        var date: [UInt8] = []
        let coder = ContentCoder()
        /// Makes the ids of requests that the server itself answers.
        var requestIDs = RequestIDMaker()
        /// Whether connections are to end after the requests that have come.
        var isDraining = false
        /// When what has come was taken in, on the monotonic clock.
        var nowNanoseconds: Int64 = 0

        init(
            routes: RouteTable,
            limits: ServerLimits,
            handler: (any RequestHandler)? = nil,
            bodies: ByteBudget? = nil
        ) {
            self.routes = routes
            self.limits = limits
            timeouts = LoopTimeouts(limits: limits)
            self.handler = handler
            self.bodies = bodies ?? ByteBudget(byteCountMax: limits.bodyBytesPendingMax)
            unread = ByteBudget(byteCountMax: limits.answerBytesPendingMax)
        }
    }
}
