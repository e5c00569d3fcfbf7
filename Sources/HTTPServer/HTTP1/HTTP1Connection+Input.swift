// SPDX-License-Identifier: MIT

internal import Platform

/// The receive buffer, and what it and the output have of the memory for bodies and answers.
extension HTTP1Connection {
    /// Takes note that the client will send no more.
    mutating func endInput() {
        inputHasEnded = true
    }

    /// Takes note of bytes that were put at the end of the input.
    mutating func didReceive(_ count: Int) {
        inputEnd += count
    }

    /// Makes room at the end of the input.
    ///
    /// - Returns: Whether there is some; other bodies may have taken all that there is.
    mutating func makeRoom(_ context: Context) -> Bool {
        guard inputEnd == input.count else { return true }
        if case .chunks(var chunks) = phase {
            inputEnd -= chunks.closeGap(&input, base: inputStart, end: inputEnd)
            phase = .chunks(chunks)
        }
        if inputStart > 0 {
            input.moveBytes(inputStart..<inputEnd, to: 0)
            inputEnd -= inputStart
            inputStart = 0
        }
        if inputEnd >= input.count / 2 { growInput(growth, context) }
        return inputEnd < input.count
    }

    /// How much larger the input becomes: twice as large, or what the rest of a body takes, which
    /// is nothing where requests before it have left room for all.
    private var growth: Int {
        let doubled = max(input.count, 4096)
        guard isInBody else { return doubled }
        return min(doubled, max(0, parser.position + bodyByteCount - (input.count - inputStart)))
    }

    /// Makes the input larger, as far as there is memory for bodies.
    mutating func growInput(_ count: Int, _ context: Context) {
        guard holdInput(input.count + count, context) else { return }
        input.appendZeros(count)
    }

    /// Gives back what a large request had, once it has been answered.
    ///
    /// A byte of the next one, or an answer that nobody reads, is not to keep that.
    mutating func shrinkInput(_ context: Context) {
        // What has come behind the end is nobody's.
        if case .closing = phase { dropInput(unread.count) }
        let rest = unread
        guard rest.count <= input.count / 4 else { return }
        var bytes: [UInt8] = []
        if !rest.isEmpty {
            let count = max(rest.count, ByteBudget.freeByteCount)
            bytes.append(addingCapacity: count) { span in
                span.append(copying: input.span.extracting(rest))
                span.append(repeating: 0, count: count - rest.count)
            }
        }
        input = bytes
        inputStart = 0
        inputEnd = rest.count
        _ = holdInput(input.count, context)
    }

    /// Takes memory for an input of so many bytes, or gives back what a larger one had.
    ///
    /// - Returns: Whether there was as much.
    mutating func holdInput(_ byteCount: Int, _ context: Context) -> Bool {
        context.bodies.follow(&heldByteCount, byteCount: byteCount)
    }

    /// Takes memory for an output of so many bytes, or gives back what a longer one had.
    ///
    /// - Returns: Whether there was as much.
    mutating func holdOutput(_ byteCount: Int, _ context: Context) -> Bool {
        context.unread.follow(&heldOutputByteCount, byteCount: byteCount)
    }

    /// Bytes of the output that nothing has memory for.
    var unreservedByteCount: Int { output.count - reservedByteCount }

    /// Lets go of what went with answers that have been sent, or never will be.
    mutating func dropReservations() {
        reservations.removeAll()
        reservedByteCount = 0
    }

    /// Forgets what was to be sent.
    mutating func dropOutput(_ context: Context) {
        output = []
        outputSent = 0
        dropReservations()
        _ = holdOutput(0, context)
    }

    /// Forgets the first bytes of what has come.
    mutating func dropInput(_ count: Int) {
        inputStart += count
        guard inputStart == inputEnd else { return }
        inputStart = 0
        inputEnd = 0
    }
}
