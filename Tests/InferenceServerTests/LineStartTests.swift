// SPDX-License-Identifier: MIT

@testable import HTTPServer
@testable import InferenceServer
import Platform
import Testing

/// Lines of a streamed batch that come without their end.
struct LineStartTests {
    private static let second: Int64 = 1_000_000_000
    /// One byte more than is free.
    private static let start = String(repeating: " ", count: 16_385)

    /// A server that answers lines at once, however many bytes they have.
    private func server(_ time: TestClock, bytesPendingMax: Int = 1 << 20) throws -> TestServer {
        let arguments = [
            "inline-line-bytes-max": "1048576", "batch-bytes-pending-max": "\(bytesPendingMax)",
        ]
        return try TestServer(arguments: arguments, clock: time.clock)
    }

    private func stream(of server: TestServer) -> LineStream {
        LineStream(
            service: server.application.service,
            identity: KeptIdentity(requestID: "a-1", traceparent: nil, parentSpanID: nil),
            path: "/batch_predict",
            loopIndex: 0
        )
    }

    /// What a stream says to its next piece.
    private func answer(
        _ stream: LineStream,
        _ piece: String,
        _ event: StreamEvent = .piece
    ) -> (Response, text: String) {
        var response = Response()
        stream.receive(Array(piece.utf8).span, event, response: &response)
        return (response, String(decoding: response.body, as: UTF8.self))
    }

    @Test(arguments: [0, 1] as [Int64])
    func aLineThatTakesMemoryEndsInTime(excess: Int64) throws {
        let time = TestClock()
        let server = try server(time)
        let starts = server.application.service.batches.lineStarts
        let stream = stream(of: server)
        time.set(5 * Self.second)
        #expect(answer(stream, Self.start).text.isEmpty && starts.byteCount == 16_384)
        // A byte now and then makes it no younger.
        time.set(20 * Self.second)
        #expect(!answer(stream, " ").0.endsStream)
        time.set(35 * Self.second + excess)
        let (last, text) = answer(stream, TestReading.brief + "\n")
        #expect(last.endsStream == (excess > 0) && last.status == (excess > 0 ? 408 : 200))
        let reason = "The line took too long: one of more than 16384 bytes has to end within 30s."
        #expect(text.contains(excess > 0 ? reason : "\"probability\""))
        guard excess == 0 else { return }
        #expect(starts.byteCount == 0)
        // The next one has a time of its own.
        #expect(!answer(stream, Self.start).0.endsStream)
        time.set(65 * Self.second)
        #expect(answer(stream, TestReading.brief + "\n").text.contains("\"probability\""))
    }

    @Test func whatIsFreeTakesAnyTime() throws {
        let time = TestClock()
        let server = try server(time)
        let stream = stream(of: server)
        #expect(answer(stream, String(Self.start.dropLast())).text.isEmpty)
        #expect(server.application.service.batches.lineStarts.byteCount == 0)
        time.set(1000 * Self.second)
        #expect(answer(stream, TestReading.brief + "\n").text.contains("\"probability\""))
    }

    /// The rest of a line may wait for a client that reads the answers to those before it.
    @Test(arguments: [0, 1] as [Int64])
    func linesBeforeItTakeTheirTime(excess: Int64) throws {
        let time = TestClock()
        let server = try server(time)
        let stream = stream(of: server)
        #expect(answer(stream, TestReading.brief + "\n" + Self.start).text.contains("\"EQ001\""))
        time.set(1000 * Self.second)
        #expect(answer(stream, " ").text.isEmpty)
        time.set(1030 * Self.second + excess)
        let (last, text) = answer(stream, TestReading.brief + "\n")
        #expect(last.endsStream == (excess > 0))
        let error = #"{"error":{"index":1,"title":"Request Timeout","status":408,"detail":""#
        #expect(text.hasPrefix(excess > 0 ? error : #"{"equipment_id":"EQ001""#))
    }

    /// Nothing more has to come for that.
    @Test(arguments: ["", TestReading.brief + "\n"])
    func aLineThatStandsStillEndsInTime(_ lead: String) throws {
        let time = TestClock()
        let server = try server(time)
        let stream = stream(of: server)
        #expect(stream.pieceDeadline(at: 0) == nil)
        time.set(5 * Self.second)
        #expect(!answer(stream, lead + Self.start).0.endsStream)
        // By then the answers to lines before it have been read.
        let deadline = (lead.isEmpty ? 35 : 37) * Self.second + 1
        #expect(stream.pieceDeadline(at: 7 * Self.second) == deadline)
        #expect(stream.pieceDeadline(at: 9 * Self.second) == deadline)
        time.set(deadline)
        let (last, text) = answer(stream, "", .failed(status: 408, detail: "It is late."))
        #expect(last.endsStream && last.status == (lead.isEmpty ? 408 : 200))
        #expect(text.contains(#""status":408,"detail":"The line took too long: "#))
    }

    @Test func theServerEndsALineThatStandsStill() throws {
        let time = TestClock()
        let server = try server(time)
        let starts = server.application.service.batches.lineStarts
        let client = try server.client()
        let fields = ["Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"]
        let head = TestClient.bytes("POST", "/batch_predict", fields: fields)
        client.send("\(head)\(String(Self.start.utf8.count, radix: 16))\r\n\(Self.start)\r\n")
        let clock = MonotonicClock.system
        let began = clock.nowNanoseconds
        while starts.byteCount == 0, clock.nowNanoseconds - began < 10 * Self.second {}
        #expect(starts.byteCount == 16_384)
        time.set(31 * Self.second)
        server.application.server.wakeLoops()
        let answer = try #require(try client.receiveAnswer())
        #expect(answer.status == 408 && answer.body.contains("The line took too long: "))
        #expect(starts.byteCount == 0)
    }

    /// They have a quarter of the memory for batches beside it.
    @Test func startsOfLinesTakeNothingFromBatches() throws {
        let server = try server(TestClock(), bytesPendingMax: 131_072)
        let batches = server.application.service.batches
        var streams = (0..<3).map { _ in stream(of: server) }
        for stream in streams.prefix(2) { #expect(answer(stream, Self.start).0.status == 200) }
        let (refused, _) = answer(streams[2], Self.start)
        #expect(refused.status == 503 && refused.endsStream)
        #expect(batches.budget.byteCount == 0 && !batches.budget.isShort)
        let page = try server.client().request("GET", "/metrics").body
        #expect(page.contains("\nbatch_bytes_pending 32768\n"))
        streams.removeAll()
        #expect(batches.lineStarts.byteCount == 0)
    }
}
