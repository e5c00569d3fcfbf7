// SPDX-License-Identifier: MIT

/// Buffers that connections borrow while a request is under way, so that idle ones hold none.
///
/// The buffers that came back last are at hand by a swap: one request after the other takes those.
final class BufferPool {
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var inputs: [[UInt8]] = []
    private var outputs: [[UInt8]] = []

    /// Bytes of a receive buffer: a whole default head, and a body of a reading or two.
    private static let inputByteCount = ByteBudget.freeByteCount
    /// Larger outputs are not kept: one batch must not cost its memory for good.
    private static let keptBytesMax = 65_536
    private static let keptCountMax = 64

    /// Gives a connection its buffers where it has none.
    @inline(__always)
    func lend(to http: inout HTTP1Connection) {
        if http.input.isEmpty {
            swap(&http.input, &input)
            if http.input.isEmpty { makeInput(&http.input) }
        }
        if http.output.capacity == 0 {
            swap(&http.output, &output)
            if http.output.capacity == 0 { findOutput(&http.output) }
        }
    }

    /// Takes an empty output back.
    @inline(__always)
    func takeOutput(from http: inout HTTP1Connection) {
        let capacity = http.output.capacity
        if output.capacity == 0, capacity <= BufferPool.keptBytesMax {
            swap(&http.output, &output)
        } else if capacity > 0 {
            keepOutput(&http.output)
        }
    }

    /// Takes an empty input back.
    @inline(__always)
    func takeInput(from http: inout HTTP1Connection) {
        if input.isEmpty, http.input.count == BufferPool.inputByteCount {
            swap(&http.input, &input)
        } else if !http.input.isEmpty {
            keepInput(&http.input)
        }
    }

    private func makeInput(_ input: inout [UInt8]) {
        input = inputs.popLast() ?? [UInt8](repeating: 0, count: BufferPool.inputByteCount)
    }

    private func findOutput(_ output: inout [UInt8]) {
        if let found = outputs.popLast() { output = found }
    }

    private func keepOutput(_ given: inout [UInt8]) {
        var output: [UInt8] = []
        swap(&output, &given)
        guard output.capacity <= BufferPool.keptBytesMax, outputs.count < BufferPool.keptCountMax
        else { return }
        output.removeAll(keepingCapacity: true)
        outputs.append(output)
    }

    private func keepInput(_ given: inout [UInt8]) {
        var input: [UInt8] = []
        swap(&input, &given)
        // No one counts what is lent: a larger one was another's, who had memory for it.
        guard input.count == BufferPool.inputByteCount, inputs.count < BufferPool.keptCountMax
        else { return }
        inputs.append(input)
    }
}
