// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Testing

@Suite struct ServiceTests {
    private func value(_ series: String, _ page: String) -> String? {
        page.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .map { String($0.dropFirst(series.utf8.count + 1)) }
    }

    @Test func countsExactly() throws {
        let server = try TestServer()
        let client = try server.client()
        var predicted = [0, 0]
        for index in 0..<30 {
            let body = TestReading.json(index % 7, hour: index / 7, temperature: Double(index * 8))
            let answer = try client.request("POST", "/predict", body: body).json
            predicted[answer["prediction"] == 1 ? 1 : 0] += 1
        }
        _ = try client.request("POST", "/predict", body: "{}")
        _ = try client.request("POST", "/predict", body: "")
        let page = try client.request("GET", "/metrics")
        #expect(page.field("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        let version = TestBundle.firstVersion
        for (prediction, count) in predicted.enumerated() {
            let series =
                "predictions_total{model_version=\"\(version)\",prediction=\"\(prediction)\"}"
            #expect(value(series, page.body) == "\(count)")
        }
        let latency = "prediction_latency_seconds"
        let labels = "model_version=\"\(version)\""
        #expect(value("\(latency)_count{\(labels)}", page.body) == "30")
        #expect(value("\(latency)_bucket{\(labels),le=\"+Inf\"}", page.body) == "30")
        for (prediction, count) in predicted.enumerated() {
            let series = "prediction_confidence_count{prediction=\"\(prediction)\"}"
            #expect(value(series, page.body) == "\(count)")
        }
        #expect(value("window_fill_ratio_count", page.body) == "30")
        #expect(value("service_health_status", page.body) == "1")
        #expect(value("state_machines", page.body) == "7")
        for (status, count) in [(200, 30), (422, 1), (400, 1)] {
            let series =
                "http_requests_total{method=\"POST\",route=\"/predict\",status=\"\(status)\"}"
            #expect(value(series, page.body) == "\(count)")
        }
    }

    @Test func turnsNoWatcherAwayUnderOverload() {
        let kept = Endpoint.allCases.filter { !$0.isSheddable }
        #expect(Set(kept) == [.health, .live, .ready, .startup, .metrics, .drift])
    }

    @Test func sendsIDsBack() throws {
        let server = try TestServer()
        let client = try server.client()
        let given = try client.request("GET", "/livez", fields: ["X-Request-ID: a-b.c_1:2/3+4=5@6"])
        #expect(given.field("x-request-id") == "a-b.c_1:2/3+4=5@6")
        var made: Set<String> = []
        let refused = [
            "X-Request-ID: a b", "X-Request-ID: a\"b", "X-Request-ID:",
            "X-Request-ID: " + String(repeating: "x", count: 129), "X-Nothing: 1",
        ]
        for field in refused {
            let id = try client.request("GET", "/livez", fields: [field]).field("x-request-id")
            made.insert(id ?? "none")
        }
        #expect(made.count == refused.count && made.allSatisfy { $0.utf8.count == 33 })
        let limit = String(repeating: "x", count: 128)
        let long = try client.request("GET", "/livez", fields: ["X-Request-ID: \(limit)"])
        #expect(long.field("x-request-id") == limit)
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
        let zeros = String(repeating: "0", count: 32)
        for none in [
            "00-zz", "ff-\(trace)-\(span)-01", "00-\(zeros)-\(span)-01",
            "00-\(trace)-\(zeros.prefix(16))-01", "00-\(trace.uppercased())-\(span)-01",
        ] {
            let bad = try client.request("GET", "/livez", fields: ["traceparent: \(none)"])
            #expect(bad.field("traceparent") == nil)
        }
        let field = "traceparent: 00-\(trace)-\(span)-00"
        let good = try client.request("GET", "/livez", fields: [field])
        #expect(good.field("traceparent")?.hasPrefix("00-\(trace)-") == true)
        let problem = try client.request(
            "POST",
            "/predict",
            body: "{",
            fields: ["X-Request-ID: mine"]
        )
        #expect(try problem.json["request_id"] == "mine")
        #expect(try problem.json["instance"] == "/predict")
    }

    @Test func madeIDsCountUpwards() {
        var maker = RequestIDMaker()
        var seen: Set<[UInt8]> = [maker.text]
        for _ in 0..<1000 {
            maker.advance()
            #expect(seen.insert(maker.text).inserted)
        }
        #expect(String(decoding: maker.text.suffix(16), as: UTF8.self) == "00000000000003e8")
    }

    @Test func operatorsHaveAListenerOfTheirOwn() throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        let client = try server.client(.admin)
        for path in [
            "/health", "/livez", "/readyz", "/startupz", "/metrics", "/model/info", "/openapi.json",
        ] {
            #expect(try client.request("GET", path).status == 200, "\(path)")
        }
        let answer = try client.request("POST", "/predict", body: TestReading.brief)
        #expect(answer.status == 404)
        #expect(server.lines.containing("\"event\":\"listening\"").count == 2)
    }

    @Test func saysNotReadyWhileItDrainsAndAnswersStill() throws {
        let server = try TestServer(arguments: ["drain-delay": "1h"])
        server.application.stop()
        for (path, status) in [("/health", 503), ("/readyz", 503), ("/livez", 200)] {
            let answer = try server.client().request("GET", path)
            #expect(answer.status == status, "\(path)")
            #expect(answer.field("connection") == "close")
        }
        let answer = try server.client().request("POST", "/predict", body: TestReading.brief)
        #expect(answer.status == 200)
        server.application.stop()
        server.application.waitUntilStopped()
    }

    @Test func finishesWhatItAcceptedBeforeItStops() throws {
        let server = try TestServer(arguments: ["drain-timeout": "20s"])
        let rows = (0..<2000).map { TestReading.json($0, hour: 1) }.joined(separator: ",")
        let client = try server.client()
        client.send(TestClient.bytes("POST", "/batch_predict", body: "[\(rows)]"))
        let latency =
            "prediction_latency_seconds_count{model_version=\"\(TestBundle.firstVersion)\"}"
        // The batch has been taken in once the server says so.
        let other = try server.client()
        var isTaken = false
        let start = ContinuousClock.now
        while !isTaken {
            try #require(start.duration(to: .now) < .seconds(120), "the batch was not taken in")
            let page = try other.request("GET", "/metrics").body
            isTaken =
                value(latency, page) == "1"
                || value("http_requests_in_flight", page) == "1"
        }
        server.application.stop()
        let answer = try #require(try client.receiveAnswer())
        #expect(answer.status == 200)
        #expect(try answer.json["count"] == 2000)
        // An idle connection may stay until its next answer.
        #expect(try other.request("GET", "/livez").field("connection") == "close")
        server.application.waitUntilStopped()
        #expect(server.lines.containing("\"event\":\"stopped\"").count == 1)
    }

    @Test func saysWhyItCannotListen() throws {
        let server = try TestServer()
        var settings = Settings()
        settings.port = 0
        // TEST-NET-1 of RFC 5737 is no address of this machine.
        settings.host = "192.0.2.1"
        settings.modelDirectory = server.directory.path
        let second = try Application(settings: settings, log: Log { _ in })
        #expect(throws: StartError.self) { try second.start() }
    }
}

@Suite struct LogTests {
    private func lines(_ format: LogFormat, level: LogLevel = .info) -> [String] {
        let lines = LogLines()
        let log = Log(level: level, format: format, clock: WallClock { 0 }) { lines.append($0) }
        log.event(.debug, "quiet")
        log.event(
            .warning,
            "event",
            [("text", "a \"b\"\n"), ("count", 3), ("share", .number(0.5)), ("flag", .bool(true))]
        )
        return lines.containing("")
    }

    @Test func writesOneObjectPerLine() {
        let line =
            #"{"time":"1970-01-01T00:00:00Z","level":"warning","event":"event","#
            + #""text":"a \"b\"\n","count":3,"share":0.5,"flag":true}"# + "\n"
        #expect(lines(.json) == [line])
    }

    @Test func writesTextForEyes() {
        let line =
            #"1970-01-01T00:00:00Z WARNING event text="a \"b\"\n" count=3 share=0.5 flag=true"#
            + "\n"
        #expect(lines(.text) == [line])
    }

    /// A terminal takes these for commands, and JSON writes them as they are.
    @Test(arguments: [
        ("a\u{7F}b", #""a\u007fb""#), ("\u{80}", #""\u0080""#), ("x\u{9B}2J", #""x\u009b2J""#),
        ("\u{9F}\u{1B}", #""\u009f\u001b""#), ("\u{A0}~", "\u{A0}~"), ("\u{20AC}", "\u{20AC}"),
    ])
    func escapesControlCharactersInTexts(text: String, written: String) {
        let lines = LogLines()
        let log = Log(format: .text, clock: WallClock { 0 }) { lines.append($0) }
        log.event(.info, "event", [("text", .string(text))])
        #expect(lines.containing("") == ["1970-01-01T00:00:00Z INFO event text=\(written)\n"])
    }

    @Test func leavesOutWhatIsBelowItsLevel() {
        #expect(lines(.json, level: .error).isEmpty)
        #expect(lines(.json, level: .debug).count == 2)
    }
}
