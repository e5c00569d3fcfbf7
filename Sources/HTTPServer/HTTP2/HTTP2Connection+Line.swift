// SPDX-License-Identifier: MIT

/// The line of complete requests, some of which have to be decoded first.
extension HTTP2Connection {
    /// Says what to do with the oldest request that can be handled.
    func next() -> Action {
        hasUndecoded = false
        guard readyStart < ready.count else { return .wait }
        dropTakenOut()
        guard takesMore else { return .wait }
        var index = readyStart
        while index < ready.count {
            defer { index += 1 }
            let (slot, id) = ready[index]
            let phase = slots[slot].phase(of: id)
            let action = phase == .streaming ? nextPiece(slot) : nil
            if action == nil, phase == .streaming, slots[slot].goesOnDecoding() {
                hasUndecoded = true
                continue
            }
            takeOut(index)
            if let action { return action }
            if phase == .ready { return handle(slot) }
        }
        return .wait
    }

    private func handle(_ slot: Int) -> Action {
        if slots[slot].isEncoded, !decodeBody(slot) { return .decode(slot: slot) }
        return begin(slot)
    }

    /// Says what to do with a request whose body is as the handler takes it.
    private func begin(_ slot: Int) -> Action {
        if let error = slots[slot].beginHandling(at: context.nowNanoseconds) {
            return refuse(slot, error)
        }
        if slots[slot].routing.hasRoute { return .handle(slot: slot) }
        let stream = slots[slot]
        var own = stream.routing.answer(to: stream.request, in: stream.bytes.span, context)
        let status = own.status
        answer(slot, with: &own)
        return .answered(.init(status: status, refusal: nil, routeIndex: nil))
    }

    /// Forgets the places of those that were taken out from among others, once they are most.
    private func dropTakenOut() {
        guard ready.count > 4 * context.limits.http2StreamCountMax else { return }
        ready.removeAll { $0.id == 0 }
        readyStart = 0
    }

    /// Takes a request out of the line; the last one empties it.
    private func takeOut(_ index: Int) {
        ready[index].id = 0
        while readyStart < ready.count, ready[readyStart].id == 0 { readyStart += 1 }
        guard readyStart == ready.count else { return }
        ready.removeAll(keepingCapacity: true)
        readyStart = 0
    }

    /// Decodes the body of a request where that takes no time, or notes why it cannot be.
    ///
    /// - Returns: Whether that is done; otherwise it is to be decoded elsewhere.
    private func decodeBody(_ slot: Int) -> Bool {
        do throws(RequestError) {
            guard let body = try encodedBody(slot) else { return true }
            slots[slot].beginDecoding(body)
            recount(slot)
            setDeadline(slot, context.timeouts.answer)
            return false
        } catch {
            slots[slot].error = error
            return true
        }
    }

    // A function of its own, so that the bytes have one owner again when it returns.
    private func encodedBody(_ slot: Int) throws(RequestError) -> EncodedBody? {
        let stream = slots[slot]
        let bytes = stream.bytes.span.extracting(stream.request.body)
        let byteCountMax = stream.routing.bodyBytesMax
        if let body = try context.coder.decode(bytes, byteCountMax: byteCountMax) {
            try putBody(body, slot)
            return nil
        }
        return try EncodedBody(
            bytes,
            byteCountMax: byteCountMax,
            since: context.nowNanoseconds,
            memory: context.bodies
        )
    }

    /// Takes the decoded body of a request, if that still waits for it.
    ///
    /// It is handled at once: it takes too much memory to wait. Where answers that wait find none,
    /// it is refused, since its own would come on top.
    ///
    /// - Returns: `handle`, or `answered` where it is refused; `wait` where nobody waits for it.
    func didDecode(_ result: Result<[UInt8], RequestError>, to sequence: UInt64) -> Action {
        guard failure == nil, let slot = session.slot(of: Int32(truncatingIfNeeded: sequence)),
            slots[slot].phase == .decoding
        else { return .wait }
        setDeadline(slot, .max)
        do throws(RequestError) {
            let body = try result.get()
            guard takesDecoded else { throw .noRoom }
            slots[slot].endDecoding(body)
        } catch {
            slots[slot].error = error
        }
        return begin(slot)
    }

    private func putBody(_ body: [UInt8], _ slot: Int) throws(RequestError) {
        let encoded = slots[slot].request.body
        guard holdRequests(adding: body.count - encoded.count) else { throw .noRoom }
        slots[slot].bytes.replaceSubrange(encoded, with: body)
        slots[slot].request.body = encoded.lowerBound..<slots[slot].bytes.count
        recount(slot)
    }

    /// Puts a complete or refused request in line.
    func makeReady(_ slot: Int) {
        slots[slot].phase = .ready
        setDeadline(slot, .max)
        ready.append((slot, slots[slot].id))
    }

    /// Answers a request of which the server itself knows that it cannot be handled.
    func refuse(_ slot: Int, _ error: RequestError) -> Action {
        slots[slot].phase = .handling
        if slots[slot].request.method == .head { slots[slot].routing.isHead = true }
        let problem = Problem(error)
        var response = Response()
        let stream = slots[slot]
        let routeIndex = stream.routing.routeIndex
        if stream.request.path.isEmpty {
            problem.render(into: &response, &context.requestIDs)
        } else {
            let bytes = stream.bytes.span
            problem.render(into: &response, for: stream.request, in: bytes, &context.requestIDs)
        }
        error.addFields(to: &response, context.limits)
        answer(slot, with: &response)
        let refusal: HTTP1Connection.Refusal = error.isLimit ? .limit : .rule
        return .answered(.init(status: problem.status, refusal: refusal, routeIndex: routeIndex))
    }
}
