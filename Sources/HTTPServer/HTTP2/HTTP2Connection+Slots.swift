// SPDX-License-Identifier: MIT

/// The places of streams, and when their time is over.
extension HTTP2Connection {
    /// Free places of streams whose buffers are kept.
    private static let keptSlotCountMax = 16
    /// How long places beyond those are kept while there is no stream.
    private static let restNanoseconds: Int64 = 1_000_000_000

    /// Time after which it is looked at again whether others want what a body has.
    private static let blockedLookNanoseconds: Int64 = 1_000_000_000

    /// Gives a new stream a slot.
    func openSlot(_ id: Int32) -> Int {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count {
            slots.append(HTTP2Stream())
            slots[slot].request.listener = listener
            slots[slot].request.loopIndex = loopIndex
        }
        let deadline = context.nowNanoseconds + context.timeouts.head
        slots[slot].begin(id, deadline: deadline)
        earliestDeadline = min(earliestDeadline, deadline)
        openCount += 1
        recount(slot)
        return slot
    }

    /// Takes a slot back.
    func closeSlot(_ slot: Int) {
        if headSlot == slot { headSlot = nil }
        dropAnswer(slot)
        slots[slot].end()
        recount(slot)
        // A few are enough for the next ones.
        if freeSlots.count >= Self.keptSlotCountMax { slots[slot].dropBuffers() }
        freeSlots.append(slot)
        openCount -= 1
        if openCount == 0 { idleSince = context.nowNanoseconds }
    }

    /// When a connection without streams is to give back what ``rest()`` does; nil for nothing.
    ///
    /// One that has many streams at a time, with moments between, keeps their places.
    var restsAt: Int64? {
        slots.count > Self.keptSlotCountMax ? idleSince + Self.restNanoseconds : nil
    }

    /// Gives the places of streams back that a connection without streams has had for long enough.
    ///
    /// - Returns: Whether it was time, and there were some.
    func rest() -> Bool {
        guard let restsAt, openCount == 0, context.nowNanoseconds >= restsAt else { return false }
        // All lines that name them are of streams that have gone.
        ready = []
        readyStart = 0
        slots = []
        freeSlots = []
        return true
    }

    /// Whether requests, or pieces of their bodies, stand in line.
    var hasLine: Bool { failure == nil && readyStart < ready.count }

    /// Forgets an answer that has been sent, or never will be.
    func dropAnswer(_ slot: Int) {
        reservationCount -= slots[slot].reservations.count
        answerByteCount -= slots[slot].dropAnswer()
    }

    /// Whether answers wait here that have not gone out.
    var hasAnswers: Bool { answerByteCount > 0 || reservationCount > 0 }

    /// Their bytes, or those of their memory, which they have until the last one has gone out.
    var unreadByteCount: Int {
        var count = answerByteCount
        guard reservationCount > 0 else { return count }
        // By their places: a copy of a stream takes a dozen references.
        for slot in slots.indices where !slots[slot].reservations.isEmpty {
            for reservation in slots[slot].reservations { count += reservation.held.byteCount }
        }
        return count
    }

    /// What requests, answers and streams have of memory of which others may find none.
    var held: [HeldBytes] {
        var held: [HeldBytes] = []
        held.add(HeldBytes(heldByteCount, of: context.bodies))
        held.add(HeldBytes(heldAnswerByteCount, of: context.unread))
        for slot in slots.indices where slots[slot].phase != .free {
            for reservation in slots[slot].reservations { held.add(reservation.held) }
            if let stream = slots[slot].streamed?.held { held.add(stream) }
        }
        return held
    }

    /// Sets when a stream's phase ends: so many nanoseconds from now, without end for `.max`.
    func setDeadline(_ slot: Int, _ timeout: Int64, latest: Int64 = .max) {
        let now = context.nowNanoseconds
        let deadline = min(timeout < .max - now ? now + timeout : .max, latest)
        slots[slot].deadline = deadline
        earliestDeadline = min(earliestDeadline, deadline)
    }

    /// Takes note of body bytes that go out.
    func didSendBody(_ slot: Int, _ count: Int) {
        answerByteCount -= slots[slot].send(count)
        bodySentAt = context.nowNanoseconds
        if slots[slot].phase == .streaming { return didSendPiece(slot) }
        setDeadline(slot, context.timeouts.write)
    }

    /// Ends the streams whose time is over, and the connection where a header block is.
    ///
    /// Where the socket is blocked, or the connection's window closed, answers wait for each other,
    /// and have their time when it is not. What is to come by a blocked socket may have come, and
    /// is not read: a body has its memory as long as no others want it.
    ///
    /// - Returns: Their number, and the routes of those that waited for a handler and were answered
    ///   503.
    func expire(isBlocked: Bool = false) -> (count: Int, answeredRoutes: [Int?]) {
        var count = 0
        var answeredRoutes: [Int?] = []
        earliestDeadline = .max
        for slot in slots.indices where slots[slot].phase != .free {
            guard slots[slot].deadline <= context.nowNanoseconds else {
                earliestDeadline = min(earliestDeadline, slots[slot].deadline)
                continue
            }
            if isBlocked ? putsOff(slot) : waitsForOthers(slot) { continue }
            if slots[slot].phase != .lingering { count += 1 }
            switch slots[slot].phase {
            case .head: fail(.enhanceYourCalm)
            case .body:
                slots[slot].error = .timedOut
                makeReady(slot)
            case .streaming:
                let routeIndex = slots[slot].routing.routeIndex
                if expirePiece(slot) { answeredRoutes.append(routeIndex) }
            case .decoding, .handling:
                answeredRoutes.append(slots[slot].routing.routeIndex)
                answerForHandler(slot)
            case .lingering: endLingering(slot)
            case .free, .ready, .answering:
                slots[slot].deadline = .max
                session.submitReset(slots[slot].id, .cancel)
            }
        }
        return (count, answeredRoutes)
    }

    /// Gives an answer more time that only the connection's window holds back, as long as answers
    /// go out by that: the time without progress is the connection's.
    private func waitsForOthers(_ slot: Int) -> Bool {
        let timeLeft = bodySentAt + context.timeouts.write - context.nowNanoseconds
        let latest = slots[slot].streamed?.deadline ?? .max
        guard slots[slot].answerLeft > 0, timeLeft > 0, latest > context.nowNanoseconds,
            session.window(of: slots[slot].id) > 0
        else { return false }
        setDeadline(slot, timeLeft, latest: latest)
        return true
    }

    /// Gives a stream more time where the socket is blocked.
    private func putsOff(_ slot: Int) -> Bool {
        let latest = slots[slot].streamed?.deadline ?? .max
        if slots[slot].answerLeft > 0, latest > context.nowNanoseconds {
            setDeadline(slot, context.timeouts.write, latest: latest)
        } else if slots[slot].phase == .head {
            setDeadline(slot, context.timeouts.head)
        } else if slots[slot].phase == .body, !context.bodies.isShort {
            setDeadline(slot, Self.blockedLookNanoseconds)
        } else {
            return false
        }
        return true
    }

    /// Answers where a handler takes too long; what it says later is dropped.
    func answerForHandler(_ slot: Int) {
        slots[slot].phase = .handling
        var response = Response()
        Problem.tooSlow.render(into: &response, &context.requestIDs)
        response.addField("retry-after", "\(context.limits.retryAfterSeconds)")
        answer(slot, with: &response)
    }

    /// Goes on to take in the body of a request that was answered before its end.
    ///
    /// RFC 9113 §8.1 lets us reset it, but a client that sends a whole body before it reads would
    /// see that and not the answer.
    func linger(_ slot: Int) {
        slots[slot].phase = .lingering
        dropAnswer(slot)
        slots[slot].lingeredByteCount = 0
        slots[slot].lingerEnd = context.nowNanoseconds + context.timeouts.lingerTotal
        setDeadline(slot, context.timeouts.linger)
    }

    /// Throws away what such a client sends, up to a bound.
    func discard(_ count: Int, _ slot: Int) {
        slots[slot].lingeredByteCount += count
        if slots[slot].lingeredByteCount > context.limits.lingerBytesMax {
            endLingering(slot)
        } else {
            setDeadline(slot, context.timeouts.linger, latest: slots[slot].lingerEnd)
        }
    }

    private func endLingering(_ slot: Int) {
        slots[slot].deadline = .max
        session.submitReset(slots[slot].id, .none)
    }
}
