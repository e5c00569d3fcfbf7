// SPDX-License-Identifier: MIT

internal import JSON
internal import Testing

/// ``JSONReader/skipLeaves(_:)`` against ``JSONReader/next(_:)``.
struct JSONLeafTests {
    /// An object or array that stands open.
    struct Container {
        let isArray: Bool
        /// Elements or keys so far.
        var count = 0
    }

    /// What was found in a text: where each object and array begins and ends, and how many elements
    /// it has; but nothing of one that is empty and an element.
    struct Findings {
        var open: [Container] = []
        var lines: [String] = []

        var isInArray: Bool { open.last?.isArray == true }

        mutating func count(_ more: Int = 1) {
            if !open.isEmpty { open[open.count - 1].count += more }
        }

        mutating func begin(isArray: Bool, _ offset: Int) {
            lines.append("\(open.last?.count ?? 0): begins before \(offset)")
            open.append(Container(isArray: isArray))
        }

        mutating func end(_ offset: Int) {
            let closed = open.removeLast()
            if closed.count == 0, isInArray {
                lines.removeLast()
            } else {
                lines.append("\(closed.count): ends before \(offset)")
            }
            if isInArray { count() }
        }
    }

    private func findings(
        _ text: [UInt8],
        _ limits: JSONLimits,
        skips: Bool
    ) -> Result<[String], JSONError> {
        var reader = JSONReader(limits: limits)
        var findings = Findings()
        do throws(JSONError) {
            while true {
                if skips, findings.isInArray {
                    let leaves = try reader.skipLeaves(text.span)
                    findings.count(leaves.count)
                    if leaves.isEnd {
                        findings.end(reader.offset)
                        continue
                    }
                }
                switch try reader.next(text.span) {
                case .objectBegin: findings.begin(isArray: false, reader.offset)
                case .arrayBegin: findings.begin(isArray: true, reader.offset)
                case .objectEnd, .arrayEnd: findings.end(reader.offset)
                case .key: findings.count()
                case .string, .number, .bool, .null: if findings.isInArray { findings.count() }
                case .end: return .success(findings.lines)
                }
            }
        } catch {
            return .failure(error)
        }
    }

    private func compare(_ text: [UInt8], _ limits: JSONLimits) {
        let found = findings(text, limits, skips: true)
        let expected = findings(text, limits, skips: false)
        #expect(found == expected, "\(String(decoding: text, as: UTF8.self))")
    }

    private static let limits = JSONLimits(depthMax: 4, byteCountMax: 60, stringByteCountMax: 6)

    private static let bytes = Array(" \n,:[]{}\"\\0-.eEtnNa".utf8) + [0x00, 0x1F, 0x80, 0xC3]

    static let texts = [
        "[]", "[ ]", "[1]", "[0,0,0]", " [ 1 , -0.5e+3\t,\n\"a\" ,true,false , null ] ",
        "[1,]", "[,", "[,1]", "[1,,2]", "[1 2]", "[1", "[01]", "[1,01]", "[-01]", "[-]", "[nan]",
        "[1,NaN]", "[-Infinity]", "[1, -inf]", "[nul]", "[1,tru,2]", "[1}", "[1:2]", "[0x1]",
        "[1.e5]", "[1e]", "[1,2E-]", "[.5]", "[+1]", "[\"\u{1F}\"]", #"["a\x"]"#, #"["\uD800"]"#,
        #"["\u00e9\ud83d\ude00é","",1]"#, #"["123456",1]"#, #"["1234567",1]"#,
        "[{}]", "[[]]", "[{},{ },[],[\n]]", "[[1],[2,{}]]", "[{\"a\":[1,2]},3,[[4]]]", "[[[[]]]]",
        "[[[[[]]]]]", "[[[[{}]]]]", "[[[[1]],{}],2]", "[[}", "[{]", "[{,}]", "[[,]]", "[{} {}]",
        "{\"a\":[1,{}],\"b\":[],\"c\":{}}", "{\"a\":[1,{\"b\":[[]]}]} ", "[1] x", "[1]]",
        "[11111111,22222222,33333333,44444444,55555555,66666666,77]",
        "[11111111,22222222,33333333,44444444,55555555,66666666,7777]",
        "[11111111,22222222,33333333,44444444,55555555,66666666,77777]",
    ]

    @Test(arguments: texts)
    func agreesOnEveryCutAndByte(_ text: String) {
        let bytes = Array(text.utf8)
        for count in 0...bytes.count { compare(Array(bytes[..<count]), Self.limits) }
        for place in bytes.indices {
            var changed = bytes
            for byte in Self.bytes {
                changed[place] = byte
                compare(changed, Self.limits)
            }
        }
    }

    /// Texts of pieces in any order.
    @Test func agreesOnWhateverStandsInAnArray() {
        let pieces = [
            "1", "-0", "2.5e3", "\"a\"", "true", "null", "{}", "[]", "[", "]", "{\"k\":", "}", ",",
            ",", ",", ",", " ", "nan", "0",
        ]
        var state: UInt64 = 7
        for _ in 0..<caseCount(release: 200_000) {
            var text = "["
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            compare(Array(text.utf8), Self.limits)
        }
    }

    @Test func stopsBeforeWhatHasSomethingInIt() throws {
        let text = Array(#"[1,"a",{},[ ],null , {"b":2},3,[4],5]"#.utf8)
        var reader = JSONReader()
        func skip() throws -> String {
            let leaves = try reader.skipLeaves(text.span)
            return "\(leaves.count)\(leaves.isEnd ? ", the end" : "")"
        }
        #expect(try reader.next(text.span) == .arrayBegin)
        #expect(try skip() == "5")
        // As often as asked.
        #expect(try skip() == "0")
        #expect(try reader.next(text.span) == .objectBegin)
        for _ in 0..<3 { _ = try reader.next(text.span) }
        #expect(try skip() == "1")
        #expect(try reader.next(text.span) == .arrayBegin)
        #expect(try skip() == "1, the end")
        #expect(try skip() == "1, the end")
        #expect(try reader.next(text.span) == .end)
        #expect(reader.offset == text.count)
    }
}
