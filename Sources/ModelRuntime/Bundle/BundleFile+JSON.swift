// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

extension BundleFile {
    /// Parses a file's bytes as JSON.
    static func parse(_ bytes: [UInt8], of file: String) throws(BundleError) -> JSONView {
        do throws(JSONError) {
            return JSONView(try JSONValue.parse(bytes))
        } catch {
            throw .json(file: file, error)
        }
    }

    /// Parses a file's bytes as JSON that carries this `format`.
    static func parse(
        _ bytes: [UInt8],
        of file: String,
        format: Int
    ) throws(BundleError) -> JSONView {
        let json = try parse(bytes, of: file)
        let actual = try decode(file) { () throws(JSONShapeError) in
            try json.required("format").int
        }
        guard actual == format else {
            throw .format(file: file, actual: actual, expected: format)
        }
        return json
    }

    /// Runs a decoder and puts the file's name to its error.
    static func decode<Value>(
        _ file: String,
        _ body: () throws(JSONShapeError) -> Value
    ) throws(BundleError) -> Value {
        do throws(JSONShapeError) {
            return try body()
        } catch {
            throw .shape(file: file, error)
        }
    }
}

extension JSONView {
    /// The moment that this RFC 3339 text has to be, microseconds since the epoch.
    package var timestamp: Int64 {
        get throws(JSONShapeError) {
            let text = Array(try string.utf8)
            let range = 0..<text.count
            guard let moment = Timestamp.parse(text.span, range, naiveOffsetMinutes: 0) else {
                throw refuse("a timestamp of RFC 3339")
            }
            return moment
        }
    }
}
