// SPDX-License-Identifier: MIT

internal import Platform

/// Finds the CR of the CRLF that ends a line, looking from `scanned` up to `end`.
///
/// RFC 9112 §2.2: a bare CR or LF ends nothing; RFC 9110 §5.5: nor may NUL and the like stand in a
/// line.
///
/// - Returns: Nil where it has not come; `scanned` is then where to go on.
/// - Throws: `stray` at a control character, CR or LF that ends no line.
@inline(__always)
func findLineEnd(
    _ bytes: Span<UInt8>,
    from scanned: inout Int,
    to end: Int,
    stray: RequestError
) throws(RequestError) -> Int? {
    var index = scanned
    while index < end {
        // Eight bytes at a time, up to the first control character.
        while index + 8 <= end {
            let found = controlBytes(bytes.word(at: index))
            index += found == 0 ? 8 : found.trailingZeroBitCount / 8
            if found != 0 { break }
        }
        guard index < end else { break }
        let byte = bytes[index]
        if byte >= 0x20 && byte != 0x7F || byte == 0x09 {
            index += 1
            continue
        }
        guard byte == 0x0D else { throw stray }
        guard index + 1 < end else { break }
        guard bytes[index + 1] == 0x0A else { throw stray }
        return index
    }
    scanned = index
    return nil
}
