// SPDX-License-Identifier: MIT

import Features
import Testing

@Suite struct FleetShardTests {
    /// `zlib.crc32(id) % count` of Python.
    @Test(arguments: [
        ("EQ001", [2, 4, 186]),
        ("M1", [1, 4, 141]),
        ("Pumpe Süd 7", [2, 0, 165]),
        ("a/b", [1, 3, 28]),
        (String(repeating: "x", count: 64), [2, 3, 18]),
    ])
    func findsTheOwnerThatZlibDoes(_ id: String, _ owners: [Int]) throws {
        for (count, owner) in zip([1, 3, 5, 256], [0] + owners) {
            let shard = try #require(FleetShard(0, of: count))
            #expect(shard.owner(of: Array(id.utf8).span) == FleetShard(owner, of: count))
        }
    }

    @Test func sharesAFleetOutEvenly() throws {
        let shard = try #require(FleetShard("0/3"))
        var counts = [0, 0, 0]
        for machine in 0..<30_000 {
            counts[shard.owner(of: Array("EQ\(machine)".utf8).span).index] += 1
        }
        // Four standard deviations of a fair throw.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 330 }, "\(counts)")
    }

    @Test(arguments: ["0/1", "2/3", "255/256"])
    func readsWhatItWrites(_ text: String) {
        #expect(FleetShard(text)?.description == text)
    }

    @Test(arguments: [
        "", "0", "/", "0/", "/3", "3/3", "0/0", "0/257", "-1/3", "+0/3", "0/3/3", " 0/3", "0/3 ",
        "1.0/3", "99999999999999999999/3",
    ])
    func refusesOtherTexts(_ text: String) {
        #expect(FleetShard(text) == nil)
    }
}
