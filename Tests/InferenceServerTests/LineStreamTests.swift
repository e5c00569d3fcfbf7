// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Testing

/// Batches that come line by line.
struct LineStreamTests {
    private static let head = TestClient.bytes(
        "POST",
        "/batch_predict",
        type: nil,
        fields: ["Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"]
    )

    private func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    private func post(_ body: String, to server: TestServer) throws -> Answer {
        try server.client().request(
            "POST",
            "/batch_predict",
            body: body,
            type: "application/x-ndjson"
        )
    }

    private func parse(_ body: String) throws -> [JSONValue] {
        try body.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
    }

    /// 2000 readings of 200 machines and one that does not fit.
    private static let readings: [String] =
        (0..<10).flatMap { hour in
            (0..<200).map { TestReading.json($0, hour: hour, temperature: Double(60 + hour)) }
        } + [TestReading.json(3, hour: 1).replacing("\"temperature\":", with: "\"temp\":")]

    @Test func writesOneLineOfTheLogForABatch() throws {
        let server = try TestServer(arguments: ["access-log": "on"])
        let answer = try post(Self.readings.joined(separator: "\n"), to: server)
        let lines = server.lines.containing("\"event\":\"request\"")
        #expect(lines.count == 1)
        let byteCount = answer.body.utf8.count
        let text = #""route":"/batch_predict","status":200,"bytes":\#(byteCount),"#
        #expect(lines.first?.contains(text) == true, "\(lines)")
    }

    @Test func answersManyLinesInTheirOrder() throws {
        let server = try TestServer(arguments: ["batch-rows-max": "10", "batch-bytes-max": "1024"])
        let answer = try post(Self.readings.joined(separator: "\n"), to: server)
        #expect(answer.status == 200)
        #expect(answer.field("content-type") == "application/x-ndjson")
        #expect(answer.field("x-request-id") != nil)
        let lines = try parse(answer.body)
        #expect(lines.count == Self.readings.count)
        for (line, reading) in zip(lines.dropLast(), Self.readings) {
            let sent = try JSONValue.parse(Array(reading.utf8))
            #expect(line["equipment_id"] == sent["equipment_id"])
            #expect(line["probability"] != nil)
        }
        #expect(lines.last?["error"]?["index"] == .integer(Self.readings.count - 1))
        let batch = try TestServer()
        let whole = try batch.client().request(
            "POST",
            "/batch_predict?on_error=skip",
            body: "[\(Self.readings.joined(separator: ","))]"
        )
        guard case .array(let elements) = try whole.json["predictions"] else { return }
        for (line, element) in zip(lines, elements) {
            #expect(line["probability"] == element["probability"])
        }
    }

    @Test func answersWhileTheBodyComes() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(Self.head + chunk(TestReading.json(0, hour: 1) + "\n"))
        let first = client.receive(until: "}\n")
        #expect(first.contains("200 OK") && first.contains("\"M0\""))
        let second = TestReading.json(1, hour: 1)
        client.send(chunk(String(second.prefix(50))))
        client.send(chunk(second.dropFirst(50) + "\n"))
        #expect(client.receive(until: "}\n").contains("\"M1\""))
        client.send("0\r\n\r\n")
        #expect(client.receive(until: "0\r\n\r\n") == "\r\n0\r\n\r\n")
    }

    @Test func answersABadLineInItsPlace() throws {
        let server = try TestServer()
        let body = "\(TestReading.brief)\r\n\n{\"a\":\n[]\n\(TestReading.brief)\n"
        let answer = try post(body, to: server)
        #expect(answer.status == 200)
        let lines = try parse(answer.body)
        #expect(lines.count == 4)
        #expect(lines.map { $0["error"]?["status"] } == [nil, 400, 422, nil])
        #expect(lines.map { $0["error"]?["index"] } == [nil, 1, 2, nil])
        #expect(lines[3]["equipment_id"] == "EQ001")
    }

    /// Good lines before it, which make the piece one that leaves the loop.
    private static let lead = readings.prefix(20).joined(separator: "\n") + "\n"

    /// RFC 8259 §2: space, tab and line ends are white space, and no other byte is.
    @Test(arguments: ["", lead])
    func takesNoControlByteForABlank(_ lead: String) throws {
        let server = try TestServer()
        let reading = TestReading.brief
        for byte in (0..<0x20).map({ UInt8($0) }) where byte != 0x0A {
            let mark = String(UnicodeScalar(byte))
            let isBlank = byte == 0x09 || byte == 0x0D
            let body = "\(lead)\(mark)\n\(mark)\(reading)\n\(reading)\(mark)\n\(reading)"
            let answer = try post(body, to: server)
            let lines = try parse(answer.body).dropFirst(lead.isEmpty ? 0 : 20)
            let statuses: [JSONValue?] = isBlank ? [nil, nil, nil] : [400, 400, 400, nil]
            #expect(lines.map { $0["error"]?["status"] } == statuses, "byte \(byte)")
            guard !isBlank else { continue }
            let name = byte < 16 ? "0x0" : "0x"
            for line in lines.prefix(2) {
                guard case .string(let detail) = line["error"]?["detail"] else { continue }
                let says = "found byte \(name)\(String(byte, radix: 16)) at byte 0."
                #expect(detail.hasSuffix(says), "\(detail)")
            }
        }
    }

    @Test func countsTheBlanksBeforeAReading() throws {
        let server = try TestServer()
        let single = try server.client().request("POST", "/predict", body: " \t {\"a\": }")
        let answer = try post("\(TestReading.brief)\n \t {\"a\": } \r\n \r\n", to: server)
        let lines = try parse(answer.body)
        #expect(lines.count == 2)
        #expect(try lines[1]["error"]?["detail"] == single.json["detail"])
        let says = "The body is not valid JSON: expected a value, found '}' at byte 9."
        #expect(lines[1]["error"]?["detail"] == .string(says))
    }

    @Test func theLineEndIsNoPartOfALine() throws {
        let server = try TestServer(arguments: ["line-bytes-max": "1024"])
        let reading = TestReading.json(0, hour: 1)
        let blank = String(repeating: " ", count: 1024 - reading.utf8.count)
        for (excess, isRefused) in [("", false), (" ", true), ("\r", true)] {
            let long = "\(blank)\(reading)\(excess)\r\n"
            // Whole, and in pieces that end before and within the line end.
            for cut in [0, 1, 2] {
                let client = try server.client()
                let start = String(decoding: long.utf8.dropLast(cut), as: UTF8.self)
                let rest = String(decoding: long.utf8.suffix(cut), as: UTF8.self)
                client.send(Self.head + chunk(start))
                client.send((cut > 0 ? chunk(rest) : "") + chunk(reading) + "0\r\n\r\n")
                let lines = try parse(try #require(try client.receiveAnswer()).body)
                #expect(lines.count == 2 && lines.last?["probability"] != nil)
                #expect(lines.first?["error"]?["status"] == (isRefused ? 413 : nil))
            }
        }
    }

    @Test func holdsTheLimitOfALine() throws {
        let server = try TestServer(arguments: ["line-bytes-max": "1024"])
        let reading = TestReading.json(0, hour: 1)
        let fill = 1024 - reading.utf8.count
        for (count, isRefused) in [(fill, false), (fill + 1, true), (100_000, true)] {
            let long = String(repeating: " ", count: count) + reading
            let answer = try post("\(reading)\n\(long)\n\(reading)", to: server)
            let lines = try parse(answer.body)
            #expect(lines.count == 3)
            #expect(lines[1]["error"]?["status"] == (isRefused ? 413 : nil))
            #expect(lines[1]["error"]?["index"] == (isRefused ? 1 : nil))
            #expect(lines[2]["probability"] != nil)
            guard isRefused, case .string(let detail) = lines[1]["error"]?["detail"] else {
                continue
            }
            #expect(detail == "The line is longer than 1024 bytes.")
        }
    }

    @Test func saysWhyTheRestDidNotCome() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(Self.head + chunk(TestReading.brief + "\n"))
        #expect(client.receive(until: "}\n").contains("probability"))
        client.send("x\r\n")
        let line = client.receive(until: "0\r\n\r\n")
        #expect(line.contains(#"{"error":{"index":1,"title":"Bad Request","status":400,"detail":"#))
        #expect(client.receive(until: "never") == "")
    }

    /// Whatever a body fails with.
    @Test(arguments: [
        (400, "Bad Request"), (408, "Request Timeout"), (413, "Content Too Large"),
        (431, "Request Header Fields Too Large"), (503, "Service Unavailable"),
    ])
    func anErrorLineHasTheTitleOfItsStatus(_ status: Int, _ title: String) {
        let error = ServiceError.interrupted(status: status, detail: "The rest does not come.")
        let line = String(decoding: ProblemDocument.inPlace(error, index: 3), as: UTF8.self)
        #expect(line.hasPrefix(#"{"error":{"index":3,"title":"\#(title)","status":\#(status),""#))
    }

    @Test func refusesWhatIsNoBatch() throws {
        let server = try TestServer()
        #expect(try post("", to: server).status == 400)
        let blank = try post("\n \n", to: server)
        #expect(blank.status == 200 && blank.body.isEmpty)
        let empty = try TestServer(bundles: { _ in })
        let answer = try post(TestReading.brief, to: empty)
        #expect(answer.status == 503 && answer.field("retry-after") == "1")
        #expect(try answer.json["instance"] == "/batch_predict")
    }

    @Test func refusesMoreThanMayWait() throws {
        let server = try TestServer(arguments: ["batch-bytes-pending-max": "1024"])
        // One piece alone always finds room.
        let body = Self.readings.prefix(100).joined(separator: "\n")
        #expect(try post(body, to: server).status == 200)
        // The piece gives its room back a moment after its answer has gone out.
        let batches = server.application.service.batches
        var isReserved = false
        for _ in 0..<10_000_000 where !isReserved { isReserved = batches.budget.reserve(1) }
        #expect(isReserved)
        let answer = try post(body, to: server)
        #expect(answer.status == 503 && answer.field("retry-after") == "1")
    }

    /// What the answers to lines may take is reserved for those of a turn, and given back after it.
    @Test func reservesForTheAnswersOfOneTurn() throws {
        let server = try TestServer()
        let service = server.application.service
        let model = try #require(service.models.current)
        let turn = 512
        let body = String(repeating: "{}\n", count: 3 * turn)
        // Beside others there is room for two turns, and it takes three.
        let room = body.utf8.count + 2 * turn * model.encoder.answerByteCountMax
        try #require(service.batches.budget.reserve(service.limits.batchBytesPendingMax - room))
        let lines = try parse(try post(body, to: server).body)
        #expect(lines.count == 3 * turn)
        #expect(lines.allSatisfy { $0["error"]?["status"] == 422 })
    }

    @Test func keepsTheRequestIDs() throws {
        let server = try TestServer()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for count in [1, 100] {
            let answer = try server.client().request(
                "POST",
                "/batch_predict",
                body: Self.readings.prefix(count).joined(separator: "\n"),
                type: "application/x-ndjson",
                fields: ["X-Request-ID: abc-1", "traceparent: \(trace)"]
            )
            #expect(answer.field("x-request-id") == "abc-1")
            // The trace goes on with a span of our own in the place of the client's.
            let own = try #require(answer.field("traceparent"))
            #expect(own.prefix(36) == trace.prefix(36) && own.suffix(3) == "-01")
            #expect(own.utf8.count == 55 && own != trace)
        }
    }

    /// Each is work of which nothing comes: a megabyte in gzip holds a thousand of them.
    @Test(arguments: ["0", "1048576"], [0, 1])
    func boundsBlankLines(_ inline: String, _ excess: Int) throws {
        let server = try TestServer(
            arguments: ["line-bytes-max": "4096", "inline-line-bytes-max": inline]
        )
        let blanks =
            String(repeating: " \r\n", count: 1365)
            + String(repeating: "\n", count: 1 + excess)
        let answer = try server.client().request(
            "POST",
            "/batch_predict",
            body: blanks,
            type: "application/x-ndjson"
        )
        #expect(answer.status == (excess == 0 ? 200 : 413))
        #expect(answer.body.contains("4096 bytes of blank lines") == (excess > 0))
    }
}
