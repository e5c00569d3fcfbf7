// SPDX-License-Identifier: MIT

internal import CZlib

/// Why bytes are no gzip file that we take.
package enum GzipError: Error, Equatable, CustomStringConvertible {
    /// The data is damaged at or shortly before this byte of the compressed input.
    case corrupt(offset: Int)
    /// The input ends within a member.
    case truncated
    /// The content is larger than the limit.
    case tooLarge(limit: Int)
    /// zlib got no memory.
    case outOfMemory

    package var description: String {
        switch self {
        case .corrupt(let offset): "gzip data is damaged near byte \(offset)"
        case .truncated: "gzip data ends too early"
        case .tooLarge(let limit): "gzip content is larger than the limit of \(limit) bytes"
        case .outOfMemory: "no memory to inflate gzip data"
        }
    }
}

/// Inflates gzip files (RFC 1952, any number of members) with a limit on the output.
package enum GzipReader {
    /// Whether the bytes start as a gzip file does.
    package static func isGzip(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
    }

    /// Inflates all members of a gzip file of up to `byteCountMax` bytes of content.
    ///
    /// - Throws: ``GzipError``.
    package static func inflate(
        _ bytes: [UInt8],
        byteCountMax: Int
    ) throws(GzipError) -> [UInt8] {
        let inflater = try Inflater()
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var offset = 0
        while true {
            let step = inflater.step(bytes, from: offset, into: &chunk)
            offset += step.consumed
            guard output.count + step.produced <= byteCountMax else {
                throw .tooLarge(limit: byteCountMax)
            }
            output.append(contentsOf: chunk[..<step.produced])
            switch step.code {
            case Z_STREAM_END:
                if offset == bytes.count { return output }
                // RFC 1952 §2.2: members follow each other with nothing between.
                inflater.reset()
            case Z_OK, Z_BUF_ERROR:
                if step.produced == 0 && offset == bytes.count { throw .truncated }
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw .corrupt(offset: offset)
            }
        }
    }
}

/// An owned `z_stream`; it lives at one address since zlib keeps a pointer to it.
@safe private struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(GzipError) {
        // SAFETY: one zeroed z_stream, as inflateInit2 asks for; freed in deinit.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, +16: gzip framing only.
        // SAFETY: version and size are those of the header we compiled against.
        let code = unsafe inflateInit2_(
            stream,
            15 + 16,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard code == Z_OK else { throw .outOfMemory }
    }

    /// Inflates from `offset` until the chunk is full or the input used up.
    func step(
        _ bytes: [UInt8],
        from offset: Int,
        into chunk: inout [UInt8]
    ) -> (code: Int32, consumed: Int, produced: Int) {
        let available = min(bytes.count - offset, Int(UInt32.max))
        let capacity = chunk.count
        // SAFETY: both buffers outlive the call; zlib reads `available` bytes, all within `bytes`,
        // and writes at most `capacity` into `chunk`. It does not write through next_in.
        let code = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe chunk.withUnsafeMutableBufferPointer { output in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress.map { unsafe $0 + offset }
                )
                unsafe stream.pointee.avail_in = UInt32(available)
                // SAFETY: as above.
                unsafe stream.pointee.next_out = output.baseAddress
                // SAFETY: as above, `capacity` is the count of `chunk`.
                unsafe stream.pointee.avail_out = UInt32(capacity)
                return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        // SAFETY: the stream is ours.
        let consumed = unsafe available - Int(stream.pointee.avail_in)
        let produced = unsafe capacity - Int(stream.pointee.avail_out)
        return (code, consumed, produced)
    }

    /// Makes ready for the next member.
    func reset() {
        // SAFETY: the stream was initialised by inflateInit2.
        unsafe inflateReset(stream)
    }

    deinit {
        // SAFETY: initialised in init, not used afterwards.
        unsafe inflateEnd(stream)
        // SAFETY: initialised in init, not used afterwards.
        unsafe stream.deinitialize(count: 1)
        // SAFETY: allocated in init, freed once.
        unsafe stream.deallocate()
    }
}
