// SPDX-License-Identifier: MIT

internal import CZlib

/// An encoder of gzip, used again for each body: an owned `z_stream`.
@safe struct Deflater: ~Copyable {
    // At one address, since zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Fastest: JSON of numbers gains a tenth from more, at three times the time.
    private static let level = Z_BEST_SPEED

    /// Nil where there is no memory.
    init?() {
        // SAFETY: one zeroed z_stream, as deflateInit2 asks for; freed below or in deinit.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for gzip framing; 8 is the usual memory.
        // SAFETY: version and size are those of the header that this was compiled against.
        let code = unsafe deflateInit2_(
            stream,
            Deflater.level,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        if code != Z_OK {
            // SAFETY: allocated above, and used by no one.
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        // SAFETY: made in init, not used afterwards.
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Encodes a whole body; nil where that makes it no smaller.
    func deflate(_ bytes: [UInt8]) -> [UInt8]? {
        // SAFETY: the stream was made in init.
        unsafe deflateReset(stream)
        // What does not fit into less than the body is not wanted.
        var output = [UInt8](repeating: 0, count: bytes.count)
        guard bytes.count <= Int(UInt32.max) else { return nil }
        // SAFETY: both buffers outlive the call; zlib reads and writes within the counts it is
        // given, which are the buffers' own, and does not write through next_in.
        let code = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = output.baseAddress
                unsafe stream.pointee.avail_out = UInt32(output.count)
                // SAFETY: as above.
                return unsafe CZlib.deflate(stream, Z_FINISH)
            }
        }
        guard code == Z_STREAM_END else { return nil }
        // SAFETY: the stream is ours.
        output.removeLast(unsafe Int(stream.pointee.avail_out))
        return output
    }
}
