// SPDX-License-Identifier: MIT

/// Bodies that are decoded beside the loop.
extension EventLoop {
    /// Has the body of a request decoded; what comes out comes as a message.
    func decode(_ decoding: BodyDecoding?, of connection: Connection, sequence: UInt64) {
        guard let body = decoding?.body else { return }
        let mailbox = mailbox
        let token = connection.token
        shared.decoding.add(body, of: token) { result in
            mailbox.post(.decoded(connection: token, sequence: sequence, result))
        }
    }

    /// Gives a request its decoded body, if it is still there.
    func takeDecoded(
        _ result: Result<[UInt8], RequestError>,
        of token: ConnectionToken,
        sequence: UInt64
    ) {
        guard let connection = present(token) else { return }
        context.nowNanoseconds = now
        if let http2 = connection.http2 {
            take(http2.didDecode(result, to: sequence), connection, http2)
        } else {
            buffers.lend(to: &connection.http)
            switch connection.http.didDecode(result, to: sequence, context) {
            case .handle:
                handle(connection, &connection.http)
            case .answered(let answer):
                countOwnAnswer(answer)
            case .receive, .decode, .handlePiece, .switchToHTTP2, .wait, .yield, .close:
                return settle(connection, &connection.http)
            }
        }
        proceed(connection, &connection.http)
    }
}
