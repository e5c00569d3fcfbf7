// SPDX-License-Identifier: MIT

internal import JSON
import TestSupport
internal import Testing

struct JSONValueTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    @Test func readsATree() throws {
        let value = try parse(#"{"a":[1,2.5,"x",true,null],"b":{"c":{}}}"#)
        #expect(value == ["a": [1, 2.5, "x", true, nil], "b": ["c": [:]]])
        #expect(value["b"]?["c"] == [:])
        #expect(value["z"] == nil)
    }

    @Test func keepsTheOrderOfMembers() throws {
        let text = #"{"z":1,"a":2,"m":3}"#
        #expect(String(decoding: try parse(text).serialized(), as: UTF8.self) == text)
    }

    @Test func comparesObjectsWithoutRegardToOrder() throws {
        #expect(try parse(#"{"a":1,"b":2}"#) == parse(#"{"b":2,"a":1}"#))
        #expect(try parse(#"{"a":1,"b":2}"#) != parse(#"{"a":1,"b":3}"#))
        #expect(try parse(#"{"a":1}"#) != parse(#"{"a":1,"b":2}"#))
    }

    @Test func refusesDuplicateKeysAtTheSecondOne() {
        #expect(throws: JSONError.duplicateKey(offset: 7)) { try parse(#"{"a":1,"a":2}"#) }
        #expect(throws: JSONError.duplicateKey(offset: 13)) {
            try parse(#"{"b":{"ab":1,"\u0061b":2}}"#)
        }
    }

    @Test(arguments: [7, 8, 9, 10, 100])
    func findsMembersAndDuplicatesAtEverySize(_ count: Int) throws {
        let members = (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        let value = try parse("{\(members)}")
        for index in 0..<count { #expect(value["k\(index)"] == .integer(index)) }
        #expect(value["k\(count)"] == nil)
        let text = "{\(members),\"k\(count - 1)\":0}"
        let offset = text.utf8.count - "\"k\(count - 1)\":0}".utf8.count
        #expect(throws: JSONError.duplicateKey(offset: offset)) { try parse(text) }
    }

    @Test func setsAndRemovesMembers() {
        var object = JSONObject()
        for index in 0..<12 { object["k\(index)"] = .integer(index) }
        object["k3"] = "three"
        object["k4"] = nil
        object["missing"] = nil
        #expect(object.count == 11)
        #expect(object["k3"] == "three")
        #expect(object["k4"] == nil)
        #expect(object["k11"] == 11)
        #expect(object.members[4].key == "k5")
    }

    @Test func tellsNumbersOutOfRangeFromBadSyntax() {
        let error = JSONError.numberOutOfRange(offset: 1)
        #expect(throws: error) { try parse("[1e400]") }
        #expect(error.isWellFormed)
    }

    @Test func writesPrettyTextWithALastLineFeed() {
        let value: JSONValue = ["a": [1, "x"], "b": [:]]
        let expected = "{\n  \"a\": [\n    1,\n    \"x\"\n  ],\n  \"b\": {}\n}\n"
        #expect(String(decoding: value.serialized(isPretty: true), as: UTF8.self) == expected)
    }

    /// A text that has every token, escape and length of UTF-8.
    private static let document = Array(
        #"""
        {"schema": "default", "format": 1, "ok": [true, false, null], "n": -12.50e-3,
         "nested": {"a": [[], {}, [{"b": "\u00e9\n\uD83D\uDE00"}]], "é€😀": "\"q\"\\"}, "z": 0}
        """#.utf8
    )

    @Test func refusesEveryTruncation() throws {
        _ = try JSONValue.parse(Self.document)
        for length in 0..<Self.document.count {
            let error = JSONError.unexpectedEnd(offset: length)
            #expect(throws: error, "length \(length)") {
                try JSONValue.parse(Array(Self.document[..<length]))
            }
        }
    }

    @Test func survivesMutationsAndReadsBackWhatItAccepts() throws {
        let seed: UInt64 = 20_260_307
        var random = SplitMix(seed: seed)
        let interesting =
            Array("{}[]\",:\\u0123456789eE+-.tfn \u{0}\u{7F}".utf8) + [0x80, 0xC3, 0xFF]
        var acceptedCount = 0
        for round in 0..<caseCount(release: 200_000) {
            var bytes = Self.document
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: index)
                case 1:
                    bytes.insert(
                        interesting[Int(random.next() % UInt64(interesting.count))],
                        at: index
                    )
                case 2: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                default: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            acceptedCount += 1
            let again = try JSONValue.parse(value.serialized(isPretty: round % 2 == 0))
            guard again == value else {
                Issue.record("seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect(acceptedCount > 0)
    }
}
