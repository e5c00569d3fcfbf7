// SPDX-License-Identifier: MIT

/// The part of a fleet that one of several servers keeps: `0/3` is the first of three.
///
/// A machine belongs to shard `crc32(id) % count`, by the CRC-32 of zlib over the bytes of its id:
/// clients compute it in a line, and routers such as HAProxy without code of ours.
package struct FleetShard: Sendable, Equatable, CustomStringConvertible {
    /// Shards that there may be: many more than a fleet of 100 million machines needs.
    package static let countMax = 256

    /// The shard's number, from 0.
    package let index: Int
    /// How many shards there are.
    package let count: Int

    /// A shard of so many; nil where the numbers make none.
    package init?(_ index: Int, of count: Int) {
        guard (1...Self.countMax).contains(count), (0..<count).contains(index) else { return nil }
        self.init(index: index, count: count)
    }

    private init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Reads the form `index/count`; nil for any other text.
    package init?(_ text: String) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "/")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, numbers.count == 2, let index = Int(numbers[0]), let count = Int(numbers[1])
        else { return nil }
        self.init(index, of: count)
    }

    package var description: String { "\(index)/\(count)" }

    /// The shard that a machine belongs to.
    package func owner(of id: Span<UInt8>) -> FleetShard {
        var crc = UInt32.max
        for index in id.indices {
            crc = crc >> 8 ^ Self.table[Int((crc ^ UInt32(id[index])) & 0xFF)]
        }
        return FleetShard(index: Int(~crc) % count, count: count)
    }

    /// The remainders of all bytes by the polynomial of RFC 1952 section 8.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1) * 0xEDB8_8320 }
    }
}
