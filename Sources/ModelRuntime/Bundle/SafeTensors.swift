// SPDX-License-Identifier: MIT

internal import JSON

/// A tensor of a safetensors file: float32, row-major.
package struct Tensor: Equatable, Sendable {
    /// Its name in the file.
    package var name: String
    /// Its dimensions, the slowest first.
    package var shape: [Int]
    /// Its values.
    package var values: [Float]

    /// Describes a tensor; the shape's product has to be the number of values.
    package init(name: String, shape: [Int], values: [Float]) {
        precondition(shape.allSatisfy { $0 > 0 } && shape.reduce(1, *) == values.count)
        self.name = name
        self.shape = shape
        self.values = values
    }
}

/// The float32 subset of the safetensors format, read strictly and written deterministically.
///
///     8 bytes    length n of the header, little-endian
///     n bytes    {"<name>":{"dtype":"F32","shape":[..],"data_offsets":[begin,end]},..}, padded
///                with blanks; "__metadata__" may hold strings, which are ignored
///     the rest   the tensors' values, little-endian, without gaps or overlaps
///
/// Values are not judged here: whether they must be finite is known to the caller.
package enum SafeTensors {
    private static let dimensionsMax = 8
    private static let lengthBytes = 8

    /// Reads all tensors, in the order of their bytes.
    ///
    /// - Throws: ``SafeTensorsError``.
    package static func read(
        _ bytes: [UInt8],
        limits: BundleLimits = BundleLimits()
    ) throws(SafeTensorsError) -> [Tensor] {
        let header = try headerRange(bytes, limits)
        let json = try parse(bytes[header], limits)
        var entries: [Entry] = []
        do throws(JSONShapeError) {
            entries = try readHeader(json)
        } catch {
            throw .shape(error)
        }
        guard entries.count <= limits.tensorsMax else {
            throw .tensorCount(actual: entries.count, limit: limits.tensorsMax)
        }
        entries.sort { $0.begin < $1.begin }
        var tensors: [Tensor] = []
        var end = 0
        for entry in entries {
            try entry.check(after: end, dataByteCount: bytes.count - header.upperBound)
            tensors.append(
                Tensor(
                    name: entry.name,
                    shape: entry.shape,
                    values: floats(bytes, at: header.upperBound + entry.begin, entry.byteCount / 4)
                )
            )
            end = entry.end
        }
        guard header.upperBound + end == bytes.count else {
            throw .trailingBytes(offset: header.upperBound + end)
        }
        return tensors
    }

    /// Writes tensors in the given order; equal tensors give equal bytes.
    package static func write(_ tensors: [Tensor]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        var offset = 0
        for tensor in tensors {
            writer.key(tensor.name)
            writer.beginObject()
            writer.key("dtype")
            writer.string("F32")
            writeIntegers("shape", tensor.shape, &writer)
            let end = offset + tensor.values.count * 4
            writeIntegers("data_offsets", [offset, end], &writer)
            writer.endObject()
            offset = end
        }
        writer.endObject()
        var header = writer.finish()
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lengthBytes + header.count + offset)
        append(UInt64(header.count), to: &bytes)
        bytes += header
        for tensor in tensors {
            for value in tensor.values { append(value.bitPattern, to: &bytes) }
        }
        return bytes
    }

    private static func headerRange(
        _ bytes: [UInt8],
        _ limits: BundleLimits
    ) throws(SafeTensorsError) -> Range<Int> {
        guard bytes.count >= lengthBytes else { throw .truncated(byteCount: bytes.count) }
        var length: UInt64 = 0
        for index in (0..<lengthBytes).reversed() { length = length << 8 | UInt64(bytes[index]) }
        guard length <= UInt64(limits.tensorHeaderBytesMax) else {
            throw .headerTooLong(limit: limits.tensorHeaderBytesMax)
        }
        let end = lengthBytes + Int(length)
        guard end <= bytes.count else { throw .truncated(byteCount: bytes.count) }
        return lengthBytes..<end
    }

    private static func parse(
        _ header: ArraySlice<UInt8>,
        _ limits: BundleLimits
    ) throws(SafeTensorsError) -> JSONView {
        // Metadata is the only string of any length; nesting ends at a tensor's shape.
        let limits = JSONLimits(depthMax: 3, byteCountMax: limits.tensorHeaderBytesMax)
        do throws(JSONError) {
            return JSONView(try JSONValue.parse(Array(header), limits: limits))
        } catch {
            throw .json(error)
        }
    }

    private static func readHeader(_ json: JSONView) throws(JSONShapeError) -> [Entry] {
        var entries: [Entry] = []
        for (name, view) in try json.members {
            if name == "__metadata__" {
                for (_, text) in try view.members { _ = try text.string }
                continue
            }
            let type = try view.required("dtype")
            guard try type.string == "F32" else { throw type.refuse("\"F32\"") }
            let shape = try view.required("shape")
            let dimensions = try shape.ints
            guard dimensions.count <= dimensionsMax, dimensions.allSatisfy({ $0 > 0 }) else {
                throw shape.refuse("up to \(dimensionsMax) dimensions above 0")
            }
            let place = try view.required("data_offsets")
            let offsets = try place.ints
            guard offsets.count == 2, offsets[0] >= 0, offsets[0] < offsets[1] else {
                throw place.refuse("[begin, end] with 0 <= begin < end")
            }
            entries.append(
                Entry(name: name, shape: dimensions, begin: offsets[0], end: offsets[1])
            )
        }
        return entries
    }

    private static func floats(_ bytes: [UInt8], at start: Int, _ count: Int) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            let place = start + index * 4
            let bits =
                UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8
                | UInt32(bytes[place + 2]) << 16 | UInt32(bytes[place + 3]) << 24
            values.append(Float(bitPattern: bits))
        }
        return values
    }

    private static func writeIntegers(
        _ key: String,
        _ values: [Int],
        _ writer: inout JSONWriter
    ) {
        writer.key(key)
        writer.beginArray()
        for value in values { writer.integer(value) }
        writer.endArray()
    }

    private static func append<Number: FixedWidthInteger>(
        _ number: Number,
        to bytes: inout [UInt8]
    ) {
        for index in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(index * 8)))
        }
    }
}

/// A tensor's entry in the header.
private struct Entry {
    let name: String
    let shape: [Int]
    let begin: Int
    let end: Int

    var byteCount: Int { end - begin }

    func check(after previousEnd: Int, dataByteCount: Int) throws(SafeTensorsError) {
        guard begin == previousEnd else { throw .notContiguous(tensor: name, offset: begin) }
        guard end <= dataByteCount else {
            throw .outside(tensor: name, end: end, byteCount: dataByteCount)
        }
        var expected = 4
        for dimension in shape {
            let (product, overflow) = expected.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw .byteCount(tensor: name, actual: byteCount) }
            expected = product
        }
        guard expected == byteCount else { throw .byteCount(tensor: name, actual: byteCount) }
    }
}
