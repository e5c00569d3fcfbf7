// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
@testable import ModelRuntime
import Testing

@Suite struct ExplanationTests {
    private func makeServer(_ arguments: [String: String] = [:]) throws -> TestServer {
        try TestServer(arguments: arguments) { try TestBundle.write(to: $0, backgroundCount: 3) }
    }

    private func number(_ value: JSONValue?) throws -> Double {
        guard case .number(let number) = value else { throw NotANumber() }
        return number
    }

    private struct NotANumber: Error {}

    @Test func addsUpToTheLogOddsOfTheAnswer() throws {
        let server = try makeServer()
        let client = try server.client()
        for hour in 0..<5 {
            let body = TestReading.json(1, hour: hour, temperature: 80 + Double(hour))
            let answer = try client.request("POST", "/predict?explain=true", body: body)
            #expect(answer.status == 200)
            let json = try answer.json
            guard case .object(let contributions) = json["contributions"] else {
                Issue.record("no contributions: \(answer.body)")
                return
            }
            #expect(contributions.members.map(\.key) == Schema.standard.sensors.map(\.name))
            let sum = try contributions.members.reduce(0.0) { try $0 + number($1.value) }
            let explanation = json["explanation"]
            let logOdds = try number(explanation?["log_odds"])
            let base = try number(explanation?["base_log_odds"])
            #expect(abs(sum - (logOdds - base)) < 1e-6)
            let probability = try number(json["probability"])
            #expect(abs(PortableMath.sigmoid(logOdds) - probability) < 1e-12)
            #expect(explanation?["method"] == "exact")
            #expect(explanation?["coalitions"] == 64)
            #expect(explanation?["background_records"] == 3)
            #expect(explanation?["standard_error"]?["current"] == 0)
        }
    }

    @Test func predictsAndRemembersAsWithoutExplanation() throws {
        let plain = try makeServer()
        let explained = try makeServer()
        let (first, second) = (try plain.client(), try explained.client())
        for hour in 0..<4 {
            let body = TestReading.json(2, hour: hour)
            let expected = try first.request("POST", "/predict?explain=false", body: body).json
            let answer = try second.request("POST", "/predict?explain=true", body: body).json
            for key in ["equipment_id", "probability", "window_fill", "quality", "timestamp"] {
                #expect(answer[key] == expected[key])
            }
        }
        #expect(try second.request("GET", "/equipment/M2").json["readings"] == 4)
        let again = TestReading.json(2, hour: 3)
        let repeated = try second.request("POST", "/predict?explain=true", body: again).json
        #expect(repeated["quality"]?["timestamp"] == ["duplicate"])
        #expect(repeated["contributions"]?["current"] != nil)
    }

    @Test func explainsFromAHistory() throws {
        let server = try makeServer()
        let client = try server.client()
        let (early, late) = (TestReading.json(3, hour: 0), TestReading.json(3, hour: 1))
        let history = early.replacing("\"equipment_id\":\"M3\",", with: "")
        let body = "\(late.dropLast()),\"history\":[\(history)]}"
        let answer = try client.request("POST", "/predict?explain=true", body: body)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try answer.json["contributions"]?["pressure"] != nil)
    }

    @Test func givesThePredictionWhereTimeIsUp() throws {
        let server = try TestServer(arguments: ["explain-timeout": "0ms"]) {
            try TestBundle.write(to: $0, backgroundCount: 3)
        }
        let client = try server.client()
        let answer = try client.request("POST", "/predict?explain=true", body: TestReading.brief)
        #expect(answer.status == 200)
        let json = try answer.json
        #expect(json["contributions"] == .null)
        #expect(json["explanation"]?["method"] == .null)
        #expect(json["probability"] != nil)
        let page = try client.request("GET", "/metrics").body
        #expect(page.contains("explanations_total{result=\"late\"} 1"))
        #expect(page.contains("explanations_pending 0"))
    }

    @Test(arguments: [Double.infinity, -.infinity, .nan])
    func saysNothingWhereALogOddsIsNotFinite(value: Double) throws {
        let folder = try TemporaryDirectory()
        let model = try TestBundle.write(to: folder.path, backgroundCount: 1)
        let explainer = try #require(model.explainer)
        let zeros = [Double](repeating: 0, count: explainer.groups.count)
        for place in 0..<4 {
            func values(_ own: Int) -> [Double] {
                place == own ? [value] + zeros.dropFirst() : zeros
            }
            let explanation = Explanation(
                method: .exact(coalitions: 64),
                contributions: values(0),
                standardErrors: values(1),
                logOdds: place == 2 ? value : 0,
                baseLogOdds: place == 3 ? value : 0
            )
            var answer = Array("{\"probability\":1}".utf8)
            ExplanationWriter.append(explanation, explainer, microseconds: 1, to: &answer)
            let json = try JSONValue.parse(answer)
            #expect(json["contributions"] == .null)
            #expect(json["explanation"]?["error"] == "the log-odds are not finite")
        }
    }

    @Test func refusesWithoutABackgroundAndTakesNothingIn() throws {
        let server = try TestServer()
        let client = try server.client()
        let answer = try client.request("POST", "/predict?explain=true", body: TestReading.brief)
        #expect(answer.status == 501)
        #expect(answer.field("content-type") == "application/problem+json")
        #expect(answer.body.contains("background"))
        #expect(try client.request("GET", "/equipment/EQ001").status == 404)
    }

    @Test(arguments: [
        ("/predict?explain=yes", 400), ("/predict?explain", 400), ("/predict?explain=false", 200),
        ("/predict?other=true", 200), ("/predict?explain=True", 200),
        ("/predict?explain=FALSE", 200), ("/predict?explain=tru", 400),
    ])
    func checksTheParameter(path: String, status: Int) throws {
        let server = try makeServer()
        let answer = try server.client().request("POST", path, body: TestReading.brief)
        #expect(answer.status == status)
    }

    @Test func refusesABatch() throws {
        let server = try makeServer()
        let client = try server.client()
        let body = "[\(TestReading.brief)]"
        let answer = try client.request("POST", "/batch_predict?explain=true", body: body)
        #expect(answer.status == 400)
        #expect(answer.body.contains("/predict"))
        let plain = try client.request("POST", "/batch_predict?explain=false", body: body)
        #expect(plain.status == 200)
    }

    @Test func refusesABadReadingAndKeepsThePlace() throws {
        let server = try makeServer(["explanations-max": "1"])
        let client = try server.client()
        for _ in 0..<3 {
            let answer = try client.request("POST", "/predict?explain=true", body: "{}")
            #expect(answer.status == 422)
        }
        let answer = try client.request("POST", "/predict?explain=true", body: TestReading.brief)
        #expect(answer.status == 200)
    }

    @Test func givesAsManyPlacesAsTheLimit() {
        let queue = ExplanationQueue(countMax: 2)
        #expect(queue.reserve() && queue.reserve())
        #expect(!queue.reserve())
        #expect(queue.pendingCount == 2)
        queue.giveBack()
        #expect(queue.reserve())
    }

    @Test func tellsOfTheModel() throws {
        let server = try makeServer()
        let info = try server.client().request("GET", "/model/info").json
        #expect(info["members"] == 1)
        #expect(info["calibration"] == ["method": "none"])
        #expect(info["explanation"]?["background_records"] == 3)
        #expect(info["explanation"]?["groups"] != nil)
    }
}
