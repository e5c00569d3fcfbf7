// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// When `pdm retrain` answers a drift that it has answered before.
struct RepeatedDriftTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        let pipeline = """
            {"format":1,"variables":{},"steps":[\
            {"name":"only","run":["generate","--help"],"inputs":[],"outputs":[]}]}
            """
        _ = try folder.write(pipeline, "pipeline.json")
    }

    /// Looks at a server's answer: each feature with its distance and shift of rank, those from
    /// 0.1 drift.
    private func look(
        _ version: String,
        _ features: [(name: String, distance: Double, shift: Double)],
        _ words: [String] = []
    ) throws -> String {
        let told = features.map { feature in
            """
            {"name":"\(feature.name)","distance":\(feature.distance),"excluded":null,\
            "rank_shift":\(feature.shift)}
            """
        }
        let names = features.filter { $0.distance >= 0.1 }.map { "\"\($0.name)\"" }
        let report = """
            {"format":1,"state":"\(names.isEmpty ? "stable" : "drift")",\
            "model_version":"\(version)","drifted_share":0.5,\
            "drifted_features":[\(names.joined(separator: ","))],\
            "features":[\(told.joined(separator: ","))]}
            """
        _ = try folder.write(report, "drift.json")
        let outcome = try Program.run(
            [
                "retrain", "--report", "drift.json", "--once", "--state-dir", "state",
                "--pipeline", "pipeline.json", "--work-dir", "work", "--cooldown-hours", "0",
            ] + words,
            in: folder.path
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome.output
    }

    private func lines() throws -> [JSONValue] {
        try Data(contentsOf: URL(filePath: folder.file("state/retrain.jsonl")))
            .split(separator: UInt8(ascii: "\n"))
            .map { try JSONValue.parse(Array($0)) }
    }

    /// Writes the memory of a retraining that ended so many days ago, in the words of an earlier
    /// program where there is no count.
    private func remember(days: Double, count: Int?, names: String = #"["a"]"#) throws {
        let time = Date(timeIntervalSinceNow: -days * 86_400).ISO8601Format()
        let rest = """
            "reason":"","source":"","target":"","state":"drift","model_version":"1",\
            "drifted_share":0.5,"drifted_features":\(names)
            """
        let answer = count.map { #","answer":\#($0),"features":{"a":{"distance":0.5}}"# } ?? ""
        let text = ["triggered", "finished"].map { event in
            #"{"format":1,"time":"\#(time)","event":"\#(event)",\#(rest)\#(answer)}"# + "\n"
        }
        try FileManager.default.createDirectory(
            atPath: folder.file("state"),
            withIntermediateDirectories: true
        )
        _ = try folder.write(text.joined(), "state/retrain.jsonl")
    }

    /// The reference of a model of both worlds lies between them, so that its windows drift too.
    @Test func aModelOfBothWorldsIsNotTrainedAgain() throws {
        #expect(try look("1", [("a", 0.6, 0.35), ("b", 0.5, -0.3)]).hasPrefix("starting"))
        for distance in [0.3, 0.35, 0.39] {
            let said = try look("2", [("a", distance, 0.18), ("b", 0.25, -0.15), ("c", 0.1, 0)])
            #expect(said.contains("not grown since; again from 20"), "\(said)")
        }
        #expect(try lines().map { $0["event"] } == ["triggered", "finished", "rest"])
        // Later looks at the version are compared with its first one, not with that of the old.
        #expect(try lines().last?["features"]?["a"]?["distance"] == 0.3)
        let said = try look("2", [("a", 0.45, 0.25), ("b", 0.25, -0.15)])
        #expect(said.contains("1 further than when that was answered last"), "\(said)")
        #expect(try lines().last?["grown_features"] == ["a"])
        #expect(try lines().last?["answer"] == 1)
    }

    @Test func aDriftToTheOtherSideIsAnother() throws {
        _ = try look("1", [("a", 0.6, 0.35)])
        #expect(try look("2", [("a", 0.3, 0.18)]).hasPrefix("nothing to do"))
        #expect(try look("2", [("a", 0.3, -0.18)]).contains("starting"))
    }

    @Test func whatAFirstLookShowsBeyondTheAnsweredDriftIsAnother() throws {
        _ = try look("1", [("a", 0.6, 0.35), ("b", 0.02, 0.01)])
        #expect(try look("2", [("a", 0.3, 0.18), ("b", 0.3, 0.15)]).contains("starting"))
    }

    @Test func aDriftOfAVersionThatWasStableIsAnother() throws {
        _ = try look("1", [("a", 0.6, 0.35)])
        #expect(try look("2", [("a", 0.05, 0.02)]) == "nothing to do: stable\n")
        #expect(try look("2", [("a", 0.14, 0.06)]).hasPrefix("nothing to do: answered on"))
        #expect(try look("2", [("a", 0.3, 0.18)]).contains("starting"))
    }

    /// One feature of eleven that comes or goes makes no other drift; two do.
    @Test(arguments: [1, 2])
    func singleFeaturesComeAndGo(count: Int) throws {
        let features = (0..<11).map { (name: "f\($0)", distance: 0.4, shift: 0.2) }
        let other = features.map { (name: $0.name, distance: 0.05, shift: 0.0) }
        _ = try look("1", features.dropLast(count) + other.suffix(count))
        #expect(try look("1", features).hasPrefix("nothing to do") == (count == 1))
    }

    /// Days that have passed, how often it was answered, and whether it is answered again.
    @Test(arguments: [(6.9, 1, false), (7.1, 1, true), (13.9, 2, false), (14.1, 2, true)])
    func theSameDriftIsAnsweredMoreAndMoreRarely(days: Double, count: Int, isDue: Bool) throws {
        try remember(days: days, count: count)
        let said = try look("1", [("a", 0.5, 0.3)])
        #expect(said.hasPrefix("starting") == isDue, "\(said)")
        guard isDue else { return }
        #expect(said.contains("as they did; for the \(count + 1). time"))
        #expect(try lines().suffix(2).allSatisfy { $0["answer"] == .integer(count + 1) })
    }

    @Test func whoNeverWantsItAgainSaysSo() throws {
        try remember(days: 1000, count: 1)
        let said = try look("1", [("a", 0.5, 0.3)], ["--repeat-hours", "0"])
        #expect(said.hasSuffix("and not grown since\n"))
    }

    @Test func linesOfAnEarlierProgramAreUnderstood() throws {
        try remember(days: 1, count: nil)
        #expect(try look("1", [("a", 0.9, 0.3)]).hasPrefix("nothing to do: answered on"))
        #expect(try look("1", [("b", 0.3, 0.3)]).contains("starting"))
    }
}
