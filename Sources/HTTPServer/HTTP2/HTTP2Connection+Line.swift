// SPDX-License-Identifier: MIT

/// The line of complete requests: those that can be handled, and those whose bodies are decoded.
extension HTTP2Connection {
    /// Says what to do with the oldest request that can be handled.
    ///
    /// One whose body is being decoded holds up none of those behind it.
    func next() -> Action {
        hasUndecoded = false
        guard readyStart < ready.count else { return .wait }
        dropTakenOut()
        let takesMore = takesMore
        var index = readyStart
        while index < ready.count {
            defer { index += 1 }
            let (slot, id) = ready[index]
            let phase = slots[slot].phase(of: id)
            if phase == .ready, slots[slot].isEncoded {
                guard takesMore || slots[slot].decoding.hasPlace else {
                    // It does not wait for a place meanwhile.
                    slots[slot].decoding = BodyDecoding()
                    continue
                }
                guard decodeBody(slot) else {
                    hasUndecoded = true
                    continue
                }
            }
            // A body that has been decoded takes too much memory to wait.
            let mustGo = phase == .ready && slots[slot].isDecoded && failure == nil
            guard takesMore || mustGo else { continue }
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

    /// Whether a body has one of the places for decoding, which are few: a connection has one at a
    /// time, and goes on with it in any case.
    private var hasPlace: Bool { placeSlot.map { slots[$0].decoding.hasPlace } ?? false }

    /// Whether there are bodies to be decoded.
    var isDecoding: Bool { hasUndecoded || hasPlace }

    /// Puts the decoded body in the place of the encoded one, or notes why it cannot be.
    ///
    /// - Returns: Whether that is done.
    private func decodeBody(_ slot: Int) -> Bool {
        defer { if slots[slot].decoding.hasPlace { placeSlot = slot } }
        let body = slots[slot].request.body
        let bytes = slots[slot].bytes
        do throws(RequestError) {
            let decoded = try context.coder.decode(
                bytes.span.extracting(body),
                byteCountMax: slots[slot].routing.bodyBytesMax,
                mayTakePlace: !hasPlace,
                now: context.nowNanoseconds,
                with: &slots[slot].decoding
            )
            guard let decoded else { return false }
            guard holdRequests(adding: decoded.count - body.count) else { throw .noRoom }
            slots[slot].bytes.replaceSubrange(body, with: decoded)
            slots[slot].request.body = body.lowerBound..<slots[slot].bytes.count
            slots[slot].isDecoded = true
            recount(slot)
        } catch {
            slots[slot].error = error
        }
        return true
    }

    /// Goes on with the body that has a place, while answers wait for the client to read.
    ///
    /// The others do not wait for one meanwhile.
    ///
    /// - Returns: What to do with it where that is done, `wait` where there is more to do, and nil
    ///   where there is none.
    func goOnDecoding() -> Action? {
        if readyStart < ready.count {
            hasUndecoded = false
            for (slot, id) in ready[readyStart...]
            where slots[slot].phase(of: id) == .ready && !slots[slot].decoding.hasPlace {
                slots[slot].decoding = BodyDecoding()
            }
        }
        guard failure == nil, let slot = placeSlot, hasPlace else { return nil }
        guard decodeBody(slot) else { return .wait }
        guard let index = ready.firstIndex(where: { $0 == (slot, slots[slot].id) }) else {
            return nil
        }
        takeOut(index)
        return handle(slot)
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
