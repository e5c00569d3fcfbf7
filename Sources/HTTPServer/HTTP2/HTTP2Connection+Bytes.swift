// SPDX-License-Identifier: MIT

internal import Glibc

extension HTTP2Connection {
    /// Copies the next part of an answer's body into a DATA frame.
    ///
    /// - Returns: How many bytes that was, and whether they are the last.
    func readBody(
        slot: Int,
        into target: UnsafeMutableBufferPointer<UInt8>
    ) -> (count: Int, isLast: Bool) {
        let start = slots[slot].answerSent
        let count = min(target.count, slots[slot].answerLeft)
        // SAFETY: both buffers hold that many bytes from there, and are not the same.
        unsafe slots[slot].answer.withUnsafeBytes { source in
            guard count > 0, let from = source.baseAddress, let to = target.baseAddress else {
                return
            }
            unsafe memcpy(to, from + start, count)
        }
        didSendBody(slot, count)
        return (count, slots[slot].answerLeft == 0 && slots[slot].phase != .streaming)
    }

    /// RFC 9110 §10.1.1: asks for the body.
    func submitContinue(_ id: Int32) {
        var head = HTTP2Head()
        head.setStatus(100)
        session.submitInterim(id, head)
    }
}
