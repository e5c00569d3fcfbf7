// SPDX-License-Identifier: MIT

/// Buffers that connections borrow while a request is under way, so that idle ones hold none.
struct BufferPool {
    private var inputs: [[UInt8]] = []
    private var outputs: [[UInt8]] = []

    /// Bytes of a new receive buffer: a whole default head, and a body of a reading or two.
    private static let inputByteCount = 16_384
    /// Larger buffers are not kept: one batch must not cost its memory for good.
    private static let keptBytesMax = 65_536
    private static let keptCountMax = 64

    /// Gives a connection its buffers where it has none.
    mutating func lend(to http: inout HTTP1Connection) {
        if http.input.isEmpty {
            http.input =
                inputs.popLast() ?? [UInt8](repeating: 0, count: BufferPool.inputByteCount)
        }
        if http.output.capacity == 0, let output = outputs.popLast() { http.output = output }
    }

    /// Takes an empty output back.
    mutating func takeOutput(from http: inout HTTP1Connection) {
        guard http.output.capacity > 0 else { return }
        var output: [UInt8] = []
        swap(&output, &http.output)
        guard output.capacity <= BufferPool.keptBytesMax, outputs.count < BufferPool.keptCountMax
        else { return }
        output.removeAll(keepingCapacity: true)
        outputs.append(output)
    }

    /// Takes an empty input back.
    mutating func takeInput(from http: inout HTTP1Connection) {
        guard !http.input.isEmpty else { return }
        var input: [UInt8] = []
        swap(&input, &http.input)
        guard input.count <= BufferPool.keptBytesMax, inputs.count < BufferPool.keptCountMax
        else { return }
        inputs.append(input)
    }
}
