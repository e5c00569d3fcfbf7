// SPDX-License-Identifier: MIT

internal import Platform

/// Bodies that are taken piece by piece: the head stays at the start of the buffer, and what was
/// taken of the body makes room behind it.
extension HTTP1Connection {
    /// The bytes of the piece that ``next(_:)`` has found, within `input`, where it is not decoded.
    var pieceBytes: Range<Int> {
        let start = inputStart + parser.position
        return start..<(start + (streamed?.takenCount ?? 0))
    }

    /// Looks for the next piece in what has been received.
    mutating func nextPiece(
        of body: StreamedBody,
        _ context: Context
    ) throws(RequestError) -> Action {
        if body.isAwaited { return .wait }
        // A client that fills the buffer gets one for a whole piece.
        if inputEnd == input.count, input.count < StreamedBody.pieceBytesMax {
            growInput(StreamedBody.pieceBytesMax - input.count, context)
        }
        let start = parser.position
        var bytes = start..<min(inputEnd - inputStart, start + bodyByteCount)
        var isLast = bytes.count == bodyByteCount
        if case .chunks(var chunks) = phase {
            isLast = decode(&chunks, body, context)
            phase = .chunks(chunks)
            bytes = chunks.body
        }
        let hasPiece = try body.next(
            input.span.extracting(inputStart..<inputEnd).extracting(bytes),
            isLast: isLast
        )
        if hasPiece { return .handlePiece }
        drop(body.takenCount)
        return body.isDecoding ? .yield : starved(context)
    }

    /// Writes the answer to a piece, and goes on to the next request after the last one.
    mutating func answerPiece(
        _ response: borrowing Response,
        of body: StreamedBody,
        _ context: Context
    ) {
        body.isAwaited = false
        drop(body.takenCount)
        let isComplete = body.isComplete(after: response)
        if isComplete {
            consumed = parser.position
            if body.event == .last, case .chunks(let chunks) = phase { consumed = chunks.position }
            // Where the body ends need not be known, and must not matter.
            if body.event != .last || response.endsStream { closesAfterAnswer = true }
        }
        if !body.isHeadWritten {
            guard isComplete || !response.body.isEmpty else { return }
            body.isHeadWritten = true
            if isComplete { return answerWhole(response, context) }
            // Without chunks the end of the answer is that of the connection.
            if response.closesConnection || context.isDraining || parser.isVersion10 {
                closesAfterAnswer = true
            }
            ResponseWriter.writeStreamHead(
                response,
                to: &output,
                date: context.date,
                closes: closesAfterAnswer,
                isChunked: !parser.isVersion10
            )
        }
        if parser.isVersion10 {
            output.append(contentsOf: response.body)
        } else {
            ResponseWriter.writeChunk(response.body, isLast: isComplete, to: &output)
        }
        if isComplete {
            // A head from before the drain has not said that the connection ends; the next will.
            finishRequest(context)
        }
    }

    private mutating func decode(
        _ chunks: inout ChunkedBody,
        _ body: StreamedBody,
        _ context: Context
    ) -> Bool {
        guard body.failure == nil else { return false }
        do throws(RequestError) {
            return try chunks.decode(
                &input,
                base: inputStart,
                end: inputEnd,
                bodyBytesMax: routing.bodyBytesMax,
                limits: context.limits
            )
        } catch {
            // What stands before the fault is taken first, however the bytes came.
            body.failure = error
            return false
        }
    }

    /// Takes the first bytes of the body out of the buffer.
    private mutating func drop(_ count: Int) {
        guard count > 0 else { return }
        let start = inputStart + parser.position
        input.moveBytes((start + count)..<inputEnd, to: start)
        inputEnd -= count
        if case .chunks(var chunks) = phase {
            chunks.discard(count)
            phase = .chunks(chunks)
        } else {
            bodyByteCount -= count
        }
    }
}
