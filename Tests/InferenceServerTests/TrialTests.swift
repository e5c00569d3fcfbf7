// SPDX-License-Identifier: MIT

import Dispatch
import Features
@testable import InferenceServer
import JSON
import ModelRuntime
import Platform
import Synchronization
import Testing

@Suite struct TrialTests {
    private static let first = TestBundle.firstVersion
    private static let second = TestBundle.secondVersion

    /// A server of the first version, with the second one as challenger.
    private func server(
        _ challenger: String,
        _ write: (String) throws -> Void = {
            try TestBundle.write(to: $0)
            try TestBundle.write(to: $0, version: Self.second, bias: 4)
        }
    ) throws -> TestServer {
        try TestServer(arguments: ["quarantine-shift": "off"]) { path in
            try write(path)
            try TestRegistry.write(to: path, champion: Self.first, challenger: challenger)
        }
    }

    private func version(_ server: TestServer, _ machine: Int, hour: Int = 0) throws -> JSONValue? {
        try server.client()
            .request("POST", "/predict", body: TestReading.json(machine, hour: hour))
            .json["model_version"]
    }

    private func belongs(_ machine: Int, to share: Double) -> Bool {
        MachineShare(share).contains(Array("M\(machine)".utf8).span)
    }

    @Test func dealsMachinesOutEvenly() {
        for share in [0.01, 0.1, 0.25, 0.5, 0.9] {
            let count = 40_000
            let taken = (0..<count).filter { belongs($0, to: share) }.count
            let deviation = (share * (1 - share) / Double(count)).squareRoot()
            #expect(abs(Double(taken) / Double(count) - share) < 4 * deviation, "\(share)")
        }
        // A larger share keeps the machines of a smaller one.
        #expect((0..<1000).allSatisfy { !belongs($0, to: 0.1) || belongs($0, to: 0.2) })
        // The same whatever the program and its version: these stand in no file.
        #expect((0..<40).filter { belongs($0, to: 0.25) } == Self.quarter)
    }

    /// The machines of M0 to M39 that belong to a quarter.
    private static let quarter = [6, 8, 16, 21, 22, 24, 34]

    @Test func aShadowComputesEverythingAndAnswersNothing() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"shadow"}"#)
        let alone = try TestServer()
        for machine in 0..<20 {
            let body = TestReading.json(machine, hour: machine % 8)
            let answer = try server.client().request("POST", "/predict", body: body).json
            let expected = try alone.client().request("POST", "/predict", body: body).json
            #expect(timeless(answer) == timeless(expected))
        }
        let info = try server.client().request("GET", "/model/info").json
        #expect(info["version"] == .string(Self.first))
        let challenger = info["challenger"]
        #expect(challenger?["version"] == .string(Self.second))
        #expect(challenger?["mode"] == "shadow" && challenger?["share"] == 0)
        #expect(challenger?["readings"] == 20)
        let page = try server.client().request("GET", "/metrics").body
        let labels = "{model_version=\"\(Self.second)\",other_version=\"\(Self.first)\""
        #expect(page.contains("\ntrial_share\(labels),mode=\"shadow\"} 0\n"))
        #expect(page.contains("\npredictions_total{model_version=\"\(Self.second)\""))
        let counted = page.split(separator: "\n").filter {
            $0.hasPrefix("predictions_total{model_version=\"\(Self.second)\"")
        }
        #expect(counted.allSatisfy { $0.hasSuffix(" 0") }, "\(counted)")
        #expect(server.lines.containing("challenger_on_trial").count == 1)
    }

    @Test func comparesBothReadingByReading() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"shadow"}"#)
        let other = try TestServer { try TestBundle.write(to: $0, version: Self.second, bias: 4) }
        var (disagreements, difference) = (0.0, 0.0)
        for machine in 0..<10 {
            for hour in 0..<3 {
                let body = TestReading.json(machine, hour: hour, temperature: 40 + 5 * Double(hour))
                let one = try server.client().request("POST", "/predict", body: body).json
                let two = try other.client().request("POST", "/predict", body: body).json
                if one["prediction"] != two["prediction"] { disagreements += 1 }
                difference += abs(number(one["probability"]) - number(two["probability"]))
            }
        }
        let info = try server.client().request("GET", "/model/info").json["challenger"]
        #expect(abs(number(info?["disagreement"]) - disagreements / 30) < 1e-12)
        #expect(abs(number(info?["mean_difference"]) - difference / 30) < 1e-12)
        #expect(difference > 1)
        let page = try server.client().request("GET", "/metrics").body
        let label = "{model_version=\"\(Self.second)\"}"
        #expect(page.contains("\ntrial_disagreements_total\(label) \(Int(disagreements))\n"))
        #expect(page.contains("\ntrial_failures_total\(label) 0\n"))
    }

    @Test func answersAShareOfTheMachinesAndKeepsToIt() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"share","share":0.5}"#)
        let client = try server.client()
        var taken = 0
        for hour in 0..<2 {
            for machine in 0..<100 {
                let body = TestReading.json(machine, hour: hour)
                let answer = try client.request("POST", "/predict", body: body).json
                let isTaken = belongs(machine, to: 0.5)
                let version = isTaken ? Self.second : Self.first
                #expect(answer["model_version"] == .string(version))
                // The bias of the second model tells its answers apart.
                #expect((number(answer["probability"]) > 0.9) == isTaken)
                taken += isTaken ? 1 : 0
            }
        }
        let page = try client.request("GET", "/metrics").body
        for (version, count) in [(Self.second, taken), (Self.first, 200 - taken)] {
            let counted = page.split(separator: "\n").filter {
                $0.hasPrefix("predictions_total{model_version=\"\(version)\"")
            }.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            #expect(counted.reduce(0, +) == count)
            let latency = "prediction_latency_seconds_count{model_version=\"\(version)\"}"
            #expect(page.contains("\n\(latency) \(count)\n"))
        }
        // A larger share keeps the machines of the smaller one.
        let registry = #"{"version":"\#(Self.second)","mode":"share","share":0.75}"#
        try TestRegistry.write(
            to: server.directory.path,
            champion: Self.first,
            challenger: registry
        )
        server.application.watcher.scanNow(isForced: false)
        for machine in 0..<100 where belongs(machine, to: 0.5) {
            #expect(try version(server, machine, hour: 3) == .string(Self.second))
        }
    }

    @Test func aBatchNamesTheVersionOfEachAnswerThatIsAnothers() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"share","share":0.5}"#)
        let client = try server.client()
        // More rows than go through the network together.
        let readings = (0..<130).map { TestReading.json($0, hour: 0) }
        let answer = try client.request(
            "POST",
            "/batch_predict",
            body: "[\(readings.joined(separator: ","))]"
        ).json
        #expect(answer["model_version"] == .string(Self.first))
        guard case .array(let predictions)? = answer["predictions"] else {
            Issue.record("no predictions")
            return
        }
        #expect(predictions.count == 130)
        for (machine, prediction) in predictions.enumerated() {
            let isTaken = belongs(machine, to: 0.5)
            #expect(prediction["model_version"] == (isTaken ? .string(Self.second) : nil))
            #expect((number(prediction["probability"]) > 0.9) == isTaken)
        }
        let lines = try client.request(
            "POST",
            "/batch_predict",
            body: readings.joined(separator: "\n") + "\n",
            type: "application/x-ndjson"
        ).body.split(separator: "\n")
        for (machine, line) in lines.enumerated() {
            let version = belongs(machine, to: 0.5) ? Self.second : Self.first
            #expect(line.contains("\"model_version\":\"\(version)\""))
        }
        #expect(lines.count == 130)
    }

    @Test func refusesAChallengerOfAnotherKind() throws {
        let longer = FeatureSpec(
            name: "longer",
            elements: [.window([.mean], hours: [48], .gauges)]
        )
        let challenger = #"{"version":"\#(Self.second)","mode":"shadow"}"#
        let layout = try server(challenger) { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: Self.second, spec: longer)
        }
        let horizon = try server(challenger) { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: Self.second, horizonHours: 48)
        }
        for (server, word) in [(layout, "layout"), (horizon, "horizon")] {
            let info = try server.client().request("GET", "/model/info").json
            #expect(info["challenger"] == JSONValue.null)
            #expect(info["last_refusal"]?["version"] == .string(Self.second))
            let refused = server.lines.containing("model_refused")
            #expect(refused.count == 1 && refused[0].contains("its \(word) differs"))
            #expect(try version(server, 1) == .string(Self.first))
        }
    }

    @Test func theChampionAnswersWhereTheChallengerHasNoFiniteAnswer() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"share","share":0.9}"#) {
            try TestBundle.write(to: $0)
            try TestBundle.write(to: $0, version: Self.second, explodes: true)
        }
        let machine = try #require((0..<100).first { belongs($0, to: 0.9) })
        let body = TestReading.json(machine, hour: 0, temperature: 149)
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["model_version"] == .string(Self.first))
        let info = try server.client().request("GET", "/model/info").json
        #expect(info["challenger"]?["failures"] == 1)
    }

    @Test func aReadingWithoutAFiniteAnswerIsRefused() throws {
        let server = try TestServer { try TestBundle.write(to: $0, explodes: true) }
        let client = try server.client()
        let bad = TestReading.json(1, hour: 0, temperature: 149)
        let single = try client.request("POST", "/predict", body: bad)
        #expect(single.status == 503)
        #expect(single.body.contains("no answer to this reading"))
        #expect(try client.request("POST", "/batch_predict", body: "[\(bad)]").status == 503)
        let skipped = try client.request(
            "POST",
            "/batch_predict?on_error=skip",
            body: "[\(bad)]"
        )
        #expect(skipped.status == 200 && skipped.body.contains("no answer to this reading"))
        let page = try client.request("GET", "/metrics").body
        #expect(page.contains("\npredictions_not_finite_total 3\n"))
    }

    @Test func promotingAndWithdrawingUnderLoadLosesNothing() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"share","share":0.5}"#)
        let failures = Atomic(0)
        let perClient = 300
        DispatchQueue.concurrentPerform(iterations: 5) { index in
            if index == 0 {
                let steps: [(String, String?)] = [
                    (Self.first, nil),
                    (Self.first, #"{"version":"\#(Self.second)","mode":"shadow"}"#),
                    (Self.second, nil),
                    (Self.second, #"{"version":"\#(Self.first)","mode":"share","share":0.3}"#),
                    (Self.first, #"{"version":"\#(Self.second)","mode":"share","share":0.3}"#),
                ]
                for _ in 0..<3 {
                    for (champion, challenger) in steps {
                        try? TestRegistry.write(
                            to: server.directory.path,
                            champion: champion,
                            challenger: challenger
                        )
                        server.application.watcher.scanNow()
                    }
                }
                return
            }
            guard let client = try? server.client() else {
                failures.add(perClient, ordering: .relaxed)
                return
            }
            for request in 0..<perClient {
                let body = TestReading.json(index * perClient + request, hour: 1)
                let answer = try? client.request("POST", "/predict", body: body)
                if answer?.status != 200 { failures.add(1, ordering: .relaxed) }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        let page = try server.client().request("GET", "/metrics").body
        let counted = page.split(separator: "\n").filter { $0.hasPrefix("predictions_total{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(counted.reduce(0, +) == 4 * perClient)
    }

    @Test func aMachinesAlarmIsThatOfTheModelThatAnswersIt() throws {
        let never = try #require(AlarmRule(raise: 1, clear: 0.999, needed: 1, of: 1))
        let always = try #require(AlarmRule(raise: 0.5, clear: 0.1, needed: 1, of: 1))
        for challenger in [
            #"{"version":"\#(Self.second)","mode":"share","share":0.5}"#,
            #"{"version":"\#(Self.second)","mode":"shadow"}"#,
        ] {
            let server = try server(challenger) {
                try TestBundle.write(to: $0, alarm: never)
                try TestBundle.write(to: $0, version: Self.second, bias: 4, alarm: always)
            }
            let client = try server.client()
            for machine in 0..<20 {
                let isTaken = challenger.contains("share\":0.5") && belongs(machine, to: 0.5)
                let body = TestReading.json(machine, hour: 0)
                let answer = try client.request("POST", "/predict", body: body).json
                #expect(answer["alarm"]?["active"] == .bool(isTaken))
                let shown = try client.request("GET", "/equipment/M\(machine)").json
                #expect(shown["alarm"]?["active"] == .bool(isTaken))
            }
        }
    }

    @Test func explainsByTheModelThatAnswers() throws {
        let server = try server(#"{"version":"\#(Self.second)","mode":"share","share":0.5}"#) {
            try TestBundle.write(to: $0, backgroundCount: 2)
            try TestBundle.write(to: $0, version: Self.second, bias: 4, backgroundCount: 2)
        }
        for machine in 0..<8 {
            let body = TestReading.json(machine, hour: 0)
            let answer = try server.client()
                .request("POST", "/predict?explain=true", body: body).json
            // The contributions and the base add up to the log-odds of who answered.
            let probability = number(answer["probability"])
            var sum = number(answer["explanation"]?["base_log_odds"])
            if case .object(let parts)? = answer["contributions"] {
                for part in parts.members { sum += number(part.value) }
            }
            let logOdds = PortableMath.log(probability / (1 - probability))
            #expect(abs(sum - logOdds) < 1e-3, "\(answer)")
        }
    }

    /// An answer without the time that it took.
    private func timeless(_ answer: JSONValue) -> JSONValue {
        guard case .object(var object) = answer else { return answer }
        object["inference_time_ms"] = nil
        return .object(object)
    }

    private func number(_ value: JSONValue?) -> Double {
        if case .number(let number)? = value { number } else { .nan }
    }
}

/// Registries of the model that ``TestBundle`` writes.
enum TestRegistry {
    /// Writes a registry with a champion and, where there is one, the challenger's JSON.
    static func write(
        to directory: String,
        champion: String,
        challenger: String?,
        history: String = ""
    ) throws {
        let trial = challenger.map { ",\"challenger\":\($0)" } ?? ""
        let text =
            "{\"format\":1,\"champion\":\"\(champion)\"\(trial),\"history\":[\(history)]}"
        try FileAccess.replace("\(directory)/pump/registry.json", with: Array(text.utf8))
    }
}
