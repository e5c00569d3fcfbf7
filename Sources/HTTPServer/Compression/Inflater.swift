// SPDX-License-Identifier: MIT

internal import CZlib

/// A decoder of gzip (RFC 1952), used again for each body: an owned `z_stream`.
@safe struct Inflater: ~Copyable {
    /// What one call has done.
    struct Step {
        /// Whether a member has ended with its checksum.
        let isAtEnd: Bool
        /// Whether the bytes are gzip so far.
        let isWell: Bool
        /// Whether nothing could be done, for lack of bytes.
        let isStarved: Bool
        let consumed: Int
        let produced: Int

        static let none = Step(
            isAtEnd: false,
            isWell: true,
            isStarved: true,
            consumed: 0,
            produced: 0
        )
    }

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

    /// Begins with a member.
    func reset() {
        // SAFETY: the stream was made in init.
        unsafe inflateReset(stream)
    }

    /// Decodes the next part of a body to at most `byteCountMax` bytes, which replace the output.
    ///
    /// `isWhole` is kept between the calls for a body; it says whether the body may end here.
    ///
    /// - Returns: How many bytes were taken: all, unless the output is full.
    /// - Throws: ``RequestError``: `corruptContent`; the output holds what stands before the fault.
    func inflatePiece(
        _ bytes: Span<UInt8>,
        into output: inout [UInt8],
        byteCountMax: Int,
        isWhole: inout Bool
    ) throws(RequestError) -> Int {
        output.removeAll(keepingCapacity: true)
        var offset = 0
        var isWell = true
        output.append(addingCapacity: byteCountMax) { room in
            while room.count < byteCountMax, !isWhole || offset < bytes.count {
                let step = step(bytes.extracting(offset..<bytes.count), into: &room)
                offset += step.consumed
                if step.isStarved { return }
                isWell = step.isWell
                guard isWell else { return }
                isWhole = step.isAtEnd
                if step.isAtEnd { reset() }
            }
        }
        guard isWell else { throw .corruptContent }
        return offset
    }

    /// Decodes from `input` to the end of `output`, until either is used up.
    func step(_ input: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Step {
        let available = UInt32(clamping: input.count)
        let room = UInt32(clamping: output.freeCapacity)
        // SAFETY: both buffers outlive the call; zlib reads and writes within the counts it is
        // given, which are those of the input and of what is free of the output, and does not
        // write through next_in.
        let code = unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output, count in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = available
                unsafe stream.pointee.next_out = output.baseAddress.map { unsafe $0 + count }
                // SAFETY: as above; it has initialised what it has not left of the room.
                unsafe stream.pointee.avail_out = room
                let code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                count += unsafe Int(room - stream.pointee.avail_out)
                return code
            }
        }
        // SAFETY: the stream is ours.
        let consumed = unsafe available - stream.pointee.avail_in
        let produced = unsafe room - stream.pointee.avail_out
        return Step(
            isAtEnd: code == Z_STREAM_END,
            isWell: code == Z_STREAM_END || code == Z_OK && (consumed > 0 || produced > 0),
            isStarved: code == Z_BUF_ERROR,
            consumed: Int(consumed),
            produced: Int(produced)
        )
    }
}
