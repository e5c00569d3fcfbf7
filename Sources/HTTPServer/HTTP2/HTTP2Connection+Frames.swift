// SPDX-License-Identifier: MIT

internal import Platform

/// What nghttp2 reports while it reads and writes.
///
/// Those that return a Boolean end the connection by false.
extension HTTP2Connection {
    /// A frame's head has come.
    func beginFrame(_ frame: HTTP2Frame) -> Bool {
        frameCount += 1
        switch frame.type {
        case .headers:
            continuationCount = 0
            // RFC 9113 §5.1.1: a stream that was jumped over can no longer be opened.
            return !skippedIDs.contains(frame.streamID) || fail(.protocolError)
        case .continuation:
            continuationCount += 1
            return continuationCount <= context.limits.http2ContinuationCountMax || flood()
        case .data:
            // RFC 9113 §6.1: padding takes up to 255 bytes, and one for its length.
            let isEmpty = frame.byteCount == 0 || frame.isPadded && frame.byteCount <= 256
            return !isEmpty || frame.endsStream || allowsControlFrame()
        case .settings:
            return frame.isAcknowledgement || allowsControlFrame()
        case .ping, .goAway, .windowUpdate, .other: return allowsControlFrame()
        case .reset: return true
        }
    }

    /// A header block begins: of a request, or of trailers.
    func beginHead(_ id: Int32, isRequest: Bool) {
        headSlot = nil
        if isRequest {
            skippedIDs = (lastOpenedID + 1)..<max(id, lastOpenedID + 1)
            lastOpenedID = id
            let slot = openSlot(id)
            session.setSlot(slot, of: id)
            headSlot = slot
        } else if let slot = session.slot(of: id) {
            slots[slot].headListByteCount = 0
            headSlot = slot
        }
    }

    /// A field has come; those of trailers are counted and dropped.
    func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard let slot = headSlot else { return true }
        guard slots[slot].take(name, value, context.limits) else { return flood() }
        recount(slot)
        return true
    }

    /// A field breaks the rules of RFC 9113 §8.2.1: the request is malformed.
    func refuseField(_ id: Int32) {
        session.submitReset(id, .protocolError)
    }

    /// A part of a body has come.
    func addBody(_ data: Span<UInt8>, of id: Int32) {
        if let slot = session.slot(of: id), slots[slot].phase == .streaming {
            return addPiece(data, slot)
        }
        session.consume(data.count, of: id)
        guard let slot = session.slot(of: id) else { return }
        if slots[slot].phase == .lingering { return discard(data.count, slot) }
        guard slots[slot].phase == .body else { return }
        let limit = slots[slot].routing.bodyBytesMax
        guard slots[slot].bodyByteCount + data.count <= limit else {
            slots[slot].error = .bodyTooLarge(limit: limit)
            return makeReady(slot)
        }
        // One that is alone comes in: its limit is that of its body.
        let othersByteCount = requestByteCount - slots[slot].requestByteCount
        let bytesMax = context.limits.http2RequestBytesMax
        guard othersByteCount == 0 || requestByteCount + data.count <= bytesMax else {
            // RFC 9113 §8.7: refused, nothing has been done, the client may send it again.
            return session.submitReset(id, .refusedStream)
        }
        guard holdRequests(adding: data.count) else {
            // At once, so that it makes room for the others.
            slots[slot].dropBody()
            slots[slot].error = .noRoom
            recount(slot)
            return makeReady(slot)
        }
        slots[slot].bytes.append(copying: data)
        recount(slot)
    }

    /// A frame, or a header block with all its frames, is complete and well-formed.
    func didReceive(_ frame: HTTP2Frame) -> Bool {
        switch frame.type {
        case .headers:
            guard let slot = headSlot, slots[slot].id == frame.streamID else { return true }
            headSlot = nil
            if slots[slot].phase == .head {
                finishHead(slot, isLast: frame.endsStream)
            } else if frame.endsStream {
                finishBody(slot)
            }
        case .data where frame.endsStream:
            if let slot = session.slot(of: frame.streamID) { finishBody(slot) }
        case .reset: return resets.allows(at: context.nowNanoseconds) || flood()
        case .ping where frame.isAcknowledgement: endDrain()
        default: break
        }
        return true
    }

    /// A stream has ended on both sides, or was reset by one.
    func closeStream(_ id: Int32) {
        guard let slot = session.slot(of: id) else { return }
        closeSlot(slot)
    }

    /// Bytes of an answer that earn its client one such frame more: Go's sends two for every 4096.
    private static let bytesPerCredit = 1024

    /// A frame has gone out.
    func didSend(_ frame: HTTP2Frame) {
        if frame.type == .data { controlFrames.earn(4 + frame.byteCount / Self.bytesPerCredit) }
        if frame.endsStream { resets.credit(1) }
        if frame.endsStream, !session.isRemoteClosed(frame.streamID),
            let slot = session.slot(of: frame.streamID)
        {
            linger(slot)
        }
    }

    /// A RST_STREAM has gone out; provoking them is as good a flood as sending them.
    ///
    /// That there is no room for a request is not its client's doing.
    func didSendReset(_ code: UInt32) {
        let isProvoked = code != HTTP2ErrorCode.none.rawValue
        guard isProvoked, code != HTTP2ErrorCode.refusedStream.rawValue else { return }
        if !resets.allows(at: context.nowNanoseconds) { fail(.enhanceYourCalm) }
    }

    /// A GOAWAY has gone out.
    func didSendGoAway(_ code: UInt32) {
        if code != HTTP2ErrorCode.none.rawValue { noteRefusal() }
    }

    private func allowsControlFrame() -> Bool {
        controlFrames.allows(at: context.nowNanoseconds) || flood()
    }

    private func flood() -> Bool { fail(.enhanceYourCalm) }

    private func finishHead(_ slot: Int, isLast: Bool) {
        // RFC 9113 §8.7: nothing has been done, and the client may ask again.
        guard hasRoomForRequest(), holdRequests() else {
            return session.submitReset(slots[slot].id, .refusedStream)
        }
        do throws(RequestError) {
            try slots[slot].finishHead(context, isLast: isLast, owner: ObjectIdentifier(self))
        } catch {
            slots[slot].refuse(error)
        }
        recount(slot)
        let expectsContinue = slots[slot].parser.expectsContinue
        let isRefused = slots[slot].error != nil || expectsContinue && !slots[slot].routing.hasRoute
        guard !isLast, !isRefused else { return makeReady(slot) }
        if slots[slot].streamed != nil {
            slots[slot].phase = .streaming
            setStreamDeadline(slot)
        } else {
            slots[slot].phase = .body
            setDeadline(slot, context.timeouts.body)
        }
        if expectsContinue { submitContinue(slots[slot].id) }
    }

    private func finishBody(_ slot: Int) {
        if slots[slot].phase == .streaming { return finishPieces(slot) }
        guard slots[slot].phase == .body else { return }
        slots[slot].request.body = slots[slot].bodyStart..<slots[slot].bytes.count
        makeReady(slot)
    }
}
