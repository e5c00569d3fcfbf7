// SPDX-License-Identifier: MIT

internal import Integrity

/// The lines of `SHA256SUMS`: 64 lower-case digits, two blanks, the file's name, a line feed.
///
/// `sha256sum -c` accepts more forms than these; this reader does not, so that every single byte of
/// the file matters.
struct Checksums {
    private(set) var digests: [(name: String, digest: Digest)] = []

    init(of files: [(name: String, bytes: [UInt8])]) {
        digests = files.map { ($0.name, SHA256.digest(of: $0.bytes)) }
    }

    init(_ bytes: [UInt8]) throws(BundleError) {
        var names: Set<String> = []
        var start = 0
        while start < bytes.count {
            let line = digests.count + 1
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                throw .sums(line: line, why: "no line feed at its end")
            }
            let (name, digest) = try Self.parse(bytes[start..<end], line)
            guard names.insert(name).inserted else {
                throw .sums(line: line, why: "\(name) stands twice")
            }
            digests.append((name, digest))
            start = end + 1
        }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for (name, digest) in digests {
            bytes.append(contentsOf: "\(digest.hex)  \(name)\n".utf8)
        }
        return bytes
    }

    private static func parse(
        _ line: ArraySlice<UInt8>,
        _ number: Int
    ) throws(BundleError) -> (String, Digest) {
        let digits = String(decoding: line.prefix(64), as: UTF8.self)
        guard let digest = Digest(hex: digits), digest.hex == digits else {
            throw .sums(line: number, why: "it does not begin with 64 hexadecimal digits")
        }
        let rest = line.dropFirst(64)
        guard rest.starts(with: "  ".utf8) else {
            throw .sums(line: number, why: "no two blanks after the digits")
        }
        let name = rest.dropFirst(2)
        guard !name.isEmpty, name.allSatisfy(isNameByte), name.first != UInt8(ascii: ".") else {
            throw .sums(line: number, why: "no plain file name")
        }
        return (String(decoding: name, as: UTF8.self), digest)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
