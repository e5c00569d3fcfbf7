// SPDX-License-Identifier: MIT

/// Bodies that come in gzip.
extension HTTP1Connection {
    /// Decodes the body of a complete request where that takes no time.
    ///
    /// - Returns: Whether that is done; otherwise it is to be decoded elsewhere.
    mutating func decodeContent(_ context: Context) throws(RequestError) -> Bool {
        // A reference of its own, so that the state can change while the bytes are read.
        let buffer = input
        let bytes = buffer.span.extracting(requestBytes).extracting(request.body)
        let byteCountMax = routing.bodyBytesMax
        if let body = try context.coder.decode(bytes, byteCountMax: byteCountMax) {
            try putContent(body, context)
            return true
        }
        decoding = BodyDecoding(
            try EncodedBody(
                bytes,
                byteCountMax: byteCountMax,
                since: context.nowNanoseconds,
                memory: context.bodies
            )
        )
        dropEncoded(context)
        return false
    }

    /// Forgets the body of a request, of which there is a copy; what follows moves to its place.
    private mutating func dropEncoded(_ context: Context) {
        let start = request.body.lowerBound
        input.moveBytes(inputStart + consumed..<inputEnd, to: inputStart + start)
        inputEnd -= consumed - start
        request.body = start..<start
        consumed = start
        if heldByteCount > 0 { shrinkInput(context) }
    }

    /// Takes the decoded body of a request, if that still waits for it.
    ///
    /// It is handled at once, whatever is to be sent yet: it takes too much memory to wait.
    ///
    /// - Returns: `handle`, or `answered` where it is refused; `wait` where nobody waits for it.
    mutating func didDecode(
        _ result: Result<[UInt8], RequestError>,
        to sequence: UInt64,
        _ context: Context
    ) -> Action {
        guard case .decoding = phase, self.sequence == sequence else { return .wait }
        decoding?.body.release()
        decoding = nil
        do throws(RequestError) {
            try putContent(result.get(), context)
        } catch {
            return refuse(error, context)
        }
        phase = .handling
        return .handle
    }

    /// Puts the decoded body in the place of the encoded one; what follows moves along.
    mutating func putContent(_ body: [UInt8], _ context: Context) throws(RequestError) {
        let start = request.body.lowerBound
        let growth = start + body.count - consumed
        // What is free at the end gives way.
        let given = max(0, min(growth, input.count - inputEnd))
        guard growth <= given || holdInput(input.count + growth - given, context) else {
            throw .noRoom
        }
        input.removeLast(given)
        input.replaceSubrange((inputStart + start)..<(inputStart + consumed), with: body)
        inputEnd += growth
        // The buffer's count is its capacity, which is not to shrink.
        if growth < 0 { input.appendZeros(-growth) }
        request.body = start..<(start + body.count)
        consumed = request.body.upperBound
    }
}
