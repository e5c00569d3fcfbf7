// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct ContentCodingTests {
    /// What the program gzip makes of `abc`.
    private static let abc: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4B, 0x4C, 0x4A, 0x06, 0x00,
        0xC2, 0x41, 0x24, 0x35, 0x03, 0x00, 0x00, 0x00,
    ]

    static func request(
        _ body: [UInt8],
        coding: String = "gzip",
        path: String = "/echo",
        isChunked: Bool = false
    ) -> [UInt8] {
        let head = "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Encoding: \(coding)\r\n"
        guard isChunked else {
            return Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
        }
        var bytes = Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8)
        for byte in body { bytes += Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8) }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        var response = Response()
        response.body = bytes
        ContentCoder().encode(&response)
        try #require(response.body.count < bytes.count)
        return response.body
    }

    @Test(arguments: ["gzip", "x-gzip", "GZIP"], [false, true])
    func decodesBodiesAlikeInEverySplit(_ coding: String, _ isChunked: Bool) {
        let input =
            Self.request(Self.abc, coding: coding, isChunked: isChunked)
            + Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for size in 1...(input.count + 1) {
            var machine = Machine()
            machine.feed(input, pieces: size)
            #expect(machine.statuses == [200, 200], "pieces of \(size)")
            #expect(machine.requests == ["1 /echo [abc]", "0 /"], "pieces of \(size)")
        }
    }

    @Test func decodesOneMemberAfterTheOther() {
        var machine = Machine()
        machine.feed(Self.request(Self.abc + Self.abc, path: "/optional"))
        #expect(machine.requests == ["4 /optional [abcabc]"])
    }

    @Test func boundsWhatComesOut() throws {
        for (count, status) in [(500, 200), (501, 413)] {
            var limits = ServerLimits()
            limits.bodyBytesMax = 500
            var machine = Machine(limits: limits)
            let body = try Self.gzip([UInt8](repeating: 0, count: count))
            machine.feed(Self.request(body, path: "/optional"))
            #expect(machine.statuses == [status])
        }
    }

    @Test func stopsABombAtTheLimit() throws {
        let bomb = try Self.gzip([UInt8](repeating: 0, count: 32 << 20))
        #expect(bomb.count < 1 << 20)
        #expect(throws: RequestError.bodyTooLarge(limit: 1 << 20)) {
            _ = try ContentCoder().decodeWhole(bomb, byteCountMax: 1 << 20)
        }
        var machine = Machine()
        machine.feed(Self.request(bomb, path: "/optional"))
        #expect(machine.statuses == [413])
        #expect(machine.isClosed)
        // It says how large it is: nothing is decoded.
        #expect(machine.decodedCount == 0)
        // No more than the body as it came and what may come out of it.
        #expect(machine.http.input.count <= 2 << 20)
    }

    @Test func decodesALargeBodyBesideTheLoop() throws {
        let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 8) & 15 }
        for isChunked in [false, true] {
            var limits = ServerLimits()
            limits.chunkOverheadBytesMax = 1 << 20
            var machine = Machine(limits: limits)
            let encoded = try Self.gzip(body)
            machine.feed(Self.request(encoded, path: "/optional", isChunked: isChunked))
            #expect(machine.statuses == [200])
            #expect(machine.requests.first?.utf8.count == "4 /optional []".utf8.count + body.count)
            #expect(machine.decodedCount == 1)
        }
    }

    /// A member of empty blocks, which give nothing for all the work they make.
    static func emptyBlocks(_ count: Int) -> [UInt8] {
        let head: [UInt8] = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3]
        let blocks = repeatElement([0, 0, 0, 0xFF, 0xFF] as [UInt8], count: count).joined()
        // The last block, and the sum and size of nothing.
        return head + blocks + [1, 0, 0, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 8)
    }

    @Test func decodesNothingBesideTheLoopToo() throws {
        let body = Self.emptyBlocks(20_000)
        var machine = Machine()
        machine.feed(Self.request(body, path: "/optional"))
        #expect(machine.statuses == [200])
        #expect(machine.decodedCount == 1)
    }

    @Test func aStreamOfNothingIsReadInTurns() throws {
        let stream = CapitalStream(.loud, StreamHandler())
        let places = StreamPlaces()
        let body = StreamedBody(stream, places: places, owner: nil, at: 0, deadline: .max)
        let bytes = Self.emptyBlocks(20_000) + Self.abc
        var offset = 0
        var turnCount = 0
        while true {
            let rest = bytes.span.extracting(offset..<bytes.count)
            let hasPiece = try body.next(rest, isLast: true)
            offset += body.takenCount
            if hasPiece { break }
            #expect(body.isDecoding && !body.isHungry && body.takenCount <= 8192)
            turnCount += 1
        }
        #expect(turnCount == 12 && body.decoded == Array("abc".utf8))
    }

    /// A bomb that denies its size is decoded up to the limit, and no further.
    @Test func doesNotBelieveABomb() throws {
        var bomb = try Self.gzip([UInt8](repeating: 0, count: 32 << 20))
        bomb.replaceSubrange((bomb.count - 4)..., with: [1, 0, 0, 0])
        var machine = Machine()
        machine.feed(Self.request(bomb, path: "/optional"))
        #expect(machine.statuses == [413])
        #expect(machine.decodedCount == 1)
    }

    @Test(arguments: ["br", "deflate", "gzip, gzip", "gzip\r\nContent-Encoding: gzip", "zstd"])
    func refusesOtherCodings(_ coding: String) {
        var machine = Machine()
        machine.feed(Self.request(Self.abc, coding: coding))
        #expect(machine.statuses == [415])
        #expect(machine.outputText.contains("accept-encoding: gzip\r\n"))
    }

    /// RFC 9110 §5.6.1: empty elements of a list count for nothing.
    @Test(arguments: ["gzip,", ", gzip", "identity, x-gzip"])
    func takesGzipInAList(_ coding: String) {
        var machine = Machine()
        machine.feed(Self.request(Self.abc, coding: coding))
        #expect(machine.statuses == [200])
        #expect(machine.requests == ["1 /echo [abc]"])
    }

    @Test func refusesWhatIsDamaged() {
        var bodies: [[UInt8]] = (1..<Self.abc.count).map { Array(Self.abc.prefix($0)) }
        bodies.append(Self.abc + [0])
        for index in [0, 2, 10, 15, 19] {
            var body = Self.abc
            body[index] ^= 0x55
            bodies.append(body)
        }
        for body in bodies {
            var machine = Machine()
            machine.feed(Self.request(body))
            #expect(machine.statuses == [400], "\(body)")
            #expect(machine.requests.isEmpty)
        }
    }

    @Test(arguments: [
        ("gzip", true), ("x-gzip", true), ("GZIP", true), ("br, gzip", true), ("*", true),
        ("gzip;q=0.001", true), ("gzip; q=1.000", true), ("gzip ;Q=0.5", true),
        ("gzip;q=0.5, identity;q=0.5", true), ("identity, gzip", true),
        ("", false), ("br", false), ("identity", false), ("gzip;q=0", false),
        ("gzip;q=0.000", false), ("*;q=0", false), ("gzip;q=0, *", false),
        ("gzip;q=0.4, identity;q=0.5", false), ("gzip;q=2", false), ("gzip;q=", false),
        ("gzip;q=0.1234", false), ("gzip;level=1", false), ("gzip;q=1.001", false),
        ("gzip;q=.5", false), ("gzipped", false),
    ])
    func weighsWhatTheClientTakes(_ value: String, _ isAccepted: Bool) {
        let bytes = Array("Accept-Encoding: \(value)".utf8)
        var request = Request()
        request.fields = [HeaderField(name: 0..<15, value: 17..<bytes.count)]
        #expect(ContentCoder.accepts(request, bytes.span) == isAccepted)
    }

    @Test(arguments: ["/large", "/large/later"])
    func encodesLargeAnswersForThoseWhoTakeThem(_ path: String) throws {
        let server = try TestServer()
        let url = "http://127.0.0.1:\(server.port)\(path)"
        let plain = try Tool.run("curl", "-sS", url)
        #expect(plain.output.utf8.count >= 1_000_000)
        let encoded = try Tool.run("curl", "-sS", "--compressed", url)
        #expect(encoded.output == plain.output)
        let fields = try Tool.run("curl", "-sS", "--compressed", "-D", "-", "-o", "/dev/null", url)
        #expect(fields.output.contains("content-encoding: gzip\r\n"))
        #expect(fields.output.contains("vary: accept-encoding\r\n"))
        let other = try Tool.run("curl", "-sS", "-D", "-", "-o", "/dev/null", url)
        #expect(!other.output.contains("content-encoding"))
        #expect(other.output.contains("vary: accept-encoding\r\n"))
        #expect(server.server.counters.requestsDeferred == 0)
    }

    @Test func leavesSmallAnswersAsTheyAre() throws {
        let server = try TestServer()
        for (count, isEncoded) in [(1023, false), (1024, true)] {
            let client = try #require(TestClient(port: server.port))
            // The answer is the body and one byte more.
            let body = String(repeating: "a", count: count - 1)
            client.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let answer = client.receiveAll()
            #expect(answer.contains("content-encoding: gzip\r\n") == isEncoded)
            #expect(answer.contains("vary: accept-encoding\r\n") == isEncoded)
        }
    }
}
