// SPDX-License-Identifier: MIT

internal import CZlib

/// A decoder of gzip (RFC 1952), used again for each body: an owned `z_stream`.
@safe struct Inflater: ~Copyable {
    // At one address, since zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil where there is no memory.
    init?() {
        // SAFETY: one zeroed z_stream, as inflateInit2 asks for; freed below or in deinit.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for gzip framing only.
        // SAFETY: version and size are those of the header that this was compiled against.
        let code = unsafe inflateInit2_(
            stream,
            15 + 16,
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
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decodes a whole body of one member or more.
    ///
    /// Memory grows with what comes out, up to the limit, whatever the body claims to hold.
    ///
    /// - Throws: ``RequestError``: `bodyTooLarge` past the limit, `corruptContent` where the bytes
    ///   are no gzip, or end too early.
    func inflate(_ bytes: Span<UInt8>, byteCountMax: Int) throws(RequestError) -> [UInt8] {
        // SAFETY: the stream was made in init.
        unsafe inflateReset(stream)
        var output: [UInt8] = []
        var offset = 0
        while true {
            // A byte past the limit tells what is too large from what just fits.
            let room = min(max(4096, output.count), byteCountMax + 1 - output.count)
            let start = output.count
            output.append(contentsOf: repeatElement(0, count: room))
            let step = step(bytes, offset, into: &output, start)
            offset += step.consumed
            output.removeLast(room - step.produced)
            guard output.count <= byteCountMax else { throw .bodyTooLarge(limit: byteCountMax) }
            switch step.code {
            case Z_STREAM_END:
                if offset == bytes.count { return output }
                // RFC 1952 §2.2: members follow each other with nothing in between.
                // SAFETY: as above.
                unsafe inflateReset(stream)
            case Z_OK where step.produced > 0 || step.consumed > 0: continue
            default: throw .corruptContent
            }
        }
    }

    private func step(
        _ bytes: Span<UInt8>,
        _ offset: Int,
        into output: inout [UInt8],
        _ start: Int
    ) -> (code: Int32, consumed: Int, produced: Int) {
        let input = bytes.extracting(offset..<bytes.count)
        let available = UInt32(clamping: input.count)
        let room = UInt32(clamping: output.count - start)
        // SAFETY: both buffers outlive the call; zlib reads and writes within the counts it is
        // given, which are the buffers' own, and does not write through next_in.
        let code = unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = available
                unsafe stream.pointee.next_out = output.baseAddress.map { unsafe $0 + start }
                // SAFETY: as above.
                unsafe stream.pointee.avail_out = room
                return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        // SAFETY: the stream is ours.
        let consumed = unsafe available - stream.pointee.avail_in
        let produced = unsafe room - stream.pointee.avail_out
        return (code, Int(consumed), Int(produced))
    }
}
