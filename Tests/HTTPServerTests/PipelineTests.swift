// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Requests behind each other in one buffer, whose sizes meet its bounds.
struct PipelineTests {
    private func get(_ byteCount: Int) -> String {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let padding = max(0, byteCount - head.utf8.count - 4)
        return head + String(repeating: "x", count: padding) + "\r\n\r\n"
    }

    private func post(_ byteCount: Int, isChunked: Bool = false) -> String {
        let body = String(repeating: "b", count: byteCount)
        let head = "POST /optional HTTP/1.1\r\nHost: a\r\n"
        guard isChunked else { return head + "Content-Length: \(byteCount)\r\n\r\n" + body }
        let size = String(byteCount, radix: 16)
        return head + "Transfer-Encoding: chunked\r\n\r\n\(size)\r\n\(body)\r\n0\r\n\r\n"
    }

    /// A machine that begins with a buffer as connections borrow it.
    private func machine() -> Machine {
        var machine = Machine()
        machine.http.input = [UInt8](repeating: 0, count: 16_384)
        return machine
    }

    @Test(arguments: [
        (60, 16_300), (500, 15_700), (500, 16_000), (4000, 12_350), (7900, 8500), (8100, 8250),
        (8150, 8150), (8250, 8050), (500, 20_000), (500, 40_000), (500, 1_000_000), (12_000, 4300),
    ])
    func aBodyBehindARequestFindsItsRoom(_ first: Int, _ second: Int) {
        let bytes = get(first) + post(second)
        for size in [Int.max, 9000, 1000] {
            var machine = machine()
            machine.feed(bytes, pieces: size)
            #expect(machine.statuses == [200, 200])
            #expect(
                machine.requests.last == "4 /optional [\(String(repeating: "b", count: second))]"
            )
        }
    }

    @Test func anyPipelineIsAnsweredInAnyPieces() {
        var state: UInt64 = 88
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let sizes = [10, 500, 2000, 4000, 8000, 12_000, 14_000, 15_900, 16_200, 16_300, 17_000]
        for number in 0..<300 {
            var bytes = ""
            var expected: [String] = []
            for _ in 0..<(2 + random(6)) {
                let byteCount = sizes[random(sizes.count)] + random(120)
                switch random(3) {
                case 0:
                    bytes += get(byteCount % 15_000)
                    expected.append("0 /")
                case let kind:
                    let byteCount = random(9) == 0 ? byteCount * 3 : byteCount
                    bytes += post(byteCount, isChunked: kind == 1)
                    expected.append("4 /optional [\(String(repeating: "b", count: byteCount))]")
                }
            }
            var machine = machine()
            machine.feed(bytes, pieces: random(2) == 0 ? .max : 1 + random(16_384))
            #expect(machine.requests == expected, "pipeline \(number)")
            #expect(machine.statuses.count == expected.count, "pipeline \(number)")
        }
    }
}
