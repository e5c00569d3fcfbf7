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
        return false
    }

    /// Takes the decoded body of a request, if that still waits for it; ``next(_:)`` goes on.
    mutating func didDecode(_ result: Result<[UInt8], RequestError>, to sequence: UInt64) {
        guard case .decoding = phase, self.sequence == sequence else { return }
        decoding = nil
        decoded = result
    }

    /// Gives up the body that is being decoded.
    mutating func dropDecoding() {
        decoding = nil
        decoded = nil
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
