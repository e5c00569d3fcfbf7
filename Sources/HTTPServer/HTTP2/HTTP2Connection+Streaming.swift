// SPDX-License-Identifier: MIT

internal import Platform

/// Bodies that are taken piece by piece: a stream's window opens again by what was taken, so that a
/// client that does not read its answer cannot send more than a window.
extension HTTP2Connection {
    /// A part of a streamed body has come.
    func addPiece(_ data: Span<UInt8>, _ slot: Int) {
        session.consumeOfConnection(data.count)
        // The windows of all streams fit, whatever other requests take, which may be as much again.
        guard requestByteCount + data.count <= 2 * context.limits.http2RequestBytesMax else {
            return session.submitReset(slots[slot].id, .enhanceYourCalm)
        }
        guard slots[slot].streamed?.failure == nil else {
            session.consume(data.count, ofStream: slots[slot].id)
            return queuePiece(slot)
        }
        guard holdRequests(adding: data.count) else {
            // What has come before is answered, and then this.
            slots[slot].streamed?.failure = .noRoom
            session.consume(data.count, ofStream: slots[slot].id)
            return queuePiece(slot)
        }
        slots[slot].bytes.append(copying: data)
        recount(slot)
        slots[slot].streamed?.idleSince = context.nowNanoseconds
        setStreamDeadline(slot)
        queuePiece(slot)
    }

    /// A streamed body has come to its end.
    func finishPieces(_ slot: Int) {
        slots[slot].hasEnded = true
        queuePiece(slot)
    }

    /// Looks for the next piece of a stream; nil where more has to come or the answer to the last
    /// one to go.
    func nextPiece(_ slot: Int) -> Action? {
        slots[slot].isQueued = false
        guard let body = slots[slot].streamed, !body.isAwaited, slots[slot].answerLeft == 0 else {
            return nil
        }
        do throws(RequestError) {
            if try findPiece(slot, body) { return .handlePiece(slot: slot) }
            drop(slot, body.takenCount)
            return nil
        } catch {
            guard body.tellsFailure(at: context.nowNanoseconds) else {
                passRest(slot)
                return refuse(slot, error)
            }
            body.fail(error)
            return .handlePiece(slot: slot)
        }
    }

    // A function of its own, so that the bytes have one owner again when it returns.
    private func findPiece(_ slot: Int, _ body: StreamedBody) throws(RequestError) -> Bool {
        let bytes = slots[slot].bytes
        let start = slots[slot].bodyStart + slots[slot].bodyTakenCount
        return try body.next(
            bytes.span.extracting(start..<bytes.count),
            isLast: slots[slot].hasEnded
        )
    }

    /// The bytes of the piece that was found, within those of the slot.
    func pieceBytes(_ slot: Int) -> Range<Int> {
        let start = slots[slot].bodyStart + slots[slot].bodyTakenCount
        return start..<(start + (slots[slot].streamed?.takenCount ?? 0))
    }

    /// Queues the answer to a piece.
    func answerPiece(_ slot: Int, with response: inout Response) {
        guard let body = slots[slot].streamed else { return }
        let id = slots[slot].id
        body.isAwaited = false
        body.idleSince = context.nowNanoseconds
        drop(slot, body.takenCount)
        let isComplete = body.isComplete(after: response)
        let isFirst = !body.isHeadWritten
        guard isComplete || !response.body.isEmpty else { return continuePieces(slot) }
        body.isHeadWritten = true
        if isComplete { passRest(slot) }
        if isComplete, isFirst {
            slots[slot].phase = .handling
            return answer(slot, with: &response)
        }
        answerByteCount += slots[slot].count(response.body.count, response.reservation)
        if response.isReserved { reservationCount += 1 }
        if isFirst { head.set(response, date: context.date, isStreamed: true) }
        if slots[slot].answerLeft == 0 {
            slots[slot].answerSent = 0
            swap(&slots[slot].answer, &response.body)
        } else {
            slots[slot].answer.append(contentsOf: response.body)
        }
        if isComplete {
            slots[slot].dropRequest()
            slots[slot].phase = .answering
            recount(slot)
            setDeadline(slot, context.timeouts.write)
        } else {
            continuePieces(slot)
        }
        guard isFirst else { return session.resume(id) }
        if !session.submitAnswer(id, head, slot: slot, hasBody: true) {
            session.submitReset(id, .cancel)
        }
        if response.closesConnection { beginDrain() }
    }

    /// Takes note that bytes of a streamed answer went out.
    func didSendPiece(_ slot: Int) {
        if slots[slot].answerLeft == 0 {
            dropAnswer(slot)
        }
        continuePieces(slot)
    }

    /// Ends the wait of a stream whose time is over.
    ///
    /// - Returns: Whether it was answered 503.
    func expirePiece(_ slot: Int) -> Bool {
        guard let body = slots[slot].streamed else { return false }
        if !body.isAwaited, slots[slot].answerLeft == 0 {
            body.failure = body.failure ?? .timedOut
            slots[slot].deadline = .max
            queuePiece(slot)
            return false
        }
        if body.isAwaited, !body.isHeadWritten {
            passRest(slot)
            answerForHandler(slot)
            return true
        }
        slots[slot].deadline = .max
        session.submitReset(slots[slot].id, .cancel)
        return false
    }

    /// Sets the deadline that a stream's state asks for: each is a time without progress.
    func setStreamDeadline(_ slot: Int) {
        guard let body = slots[slot].streamed else { return }
        let timeouts = context.timeouts
        let timeout: Int64
        if body.isAwaited {
            timeout = timeouts.answer
        } else if slots[slot].answerLeft > 0 {
            timeout = timeouts.write
        } else {
            timeout = body.pieceTimeout(timeouts.piece, at: context.nowNanoseconds)
        }
        setDeadline(slot, timeout, latest: body.deadline)
    }

    private func continuePieces(_ slot: Int) {
        setStreamDeadline(slot)
        queuePiece(slot)
    }

    private func queuePiece(_ slot: Int) {
        guard !slots[slot].isQueued else { return }
        slots[slot].isQueued = true
        ready.append((slot, slots[slot].id))
    }

    /// Lets a client send more whose body is not looked at any more: the answer comes first.
    private func passRest(_ slot: Int) {
        let taken = slots[slot].bodyStart + slots[slot].bodyTakenCount
        session.consume(slots[slot].bytes.count - taken, ofStream: slots[slot].id)
    }

    /// Takes the first bytes of the body out, and lets the client send as many.
    ///
    /// Those behind them move to their place once they are no more than what was taken: each is
    /// moved about once, and a stream has no more than two windows.
    private func drop(_ slot: Int, _ count: Int) {
        guard count > 0 else { return }
        session.consume(count, ofStream: slots[slot].id)
        slots[slot].bodyTakenCount += count
        let start = slots[slot].bodyStart
        let taken = start..<(start + slots[slot].bodyTakenCount)
        guard slots[slot].bytes.count - taken.upperBound <= taken.count else { return }
        slots[slot].dropTaken(taken)
        slots[slot].bodyTakenCount = 0
        recount(slot)
    }
}
