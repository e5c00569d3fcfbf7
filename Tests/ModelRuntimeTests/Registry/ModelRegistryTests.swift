// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import Testing

/// What a registry says after each change, and in its file.
struct ModelRegistryTests {
    private static let start = #""format":1,"champion":"20260101_000000""#

    private let first = sampleVersion("20260101_000000")
    private let second = sampleVersion("20260102_000000")
    private let third = sampleVersion("20260103_000000")
    private let note = ModelRegistry.Note(microseconds: 1_000_000, author: "a", reason: "b \"é\"")

    private func begun() -> ModelRegistry {
        var metrics = JSONObject()
        metrics["pr_auc"] = 0.5
        return ModelRegistry(champion: first, metrics: metrics, note)
    }

    private func reread(_ registry: ModelRegistry) throws -> ModelRegistry {
        try ModelRegistry(registry.json.serialized(isPretty: true))
    }

    @Test func walksBackOneVersionAtATime() throws {
        var registry = begun()
        #expect(registry.predecessor == nil)
        try registry.promote(second, metrics: JSONObject(), note)
        try registry.promote(third, metrics: JSONObject(), note)
        #expect(registry.predecessor == second)
        try registry.rollBack(metrics: JSONObject(), note)
        #expect(registry.champion == second)
        try registry.rollBack(metrics: JSONObject(), note)
        #expect(registry.champion == first)
        #expect(registry.predecessor == nil)
        #expect(throws: RegistryError.noPredecessor(first)) {
            try registry.rollBack(metrics: JSONObject(), note)
        }
        try registry.promote(third, metrics: JSONObject(), note)
        #expect(registry.predecessor == first)
        #expect(
            registry.history.map(\.action) == [
                .promote, .promote, .promote, .rollback, .rollback, .promote,
            ]
        )
        #expect(try reread(registry) == registry)
    }

    @Test func keepsInWhatAVersionWasMeantToDiffer() throws {
        var (registry, meant) = (begun(), note)
        meant.allowed = [.unit, .shift]
        try registry.promote(second, metrics: JSONObject(), meant)
        try registry.challenge(
            .init(version: third, mode: .shadow),
            metrics: JSONObject(),
            note
        )
        let kept = try reread(registry)
        #expect(kept == registry)
        #expect(kept.history.map(\.allowed) == [[], [.unit, .shift], []])
        #expect(kept.allows(.shift, of: second) && kept.allows(.unit, of: second))
        #expect(!kept.allows(.range, of: second))
        #expect(!kept.allows(.shift, of: first) && !kept.allows(.shift, of: third))
        // The last word counts, and going back is none.
        try registry.rollBack(metrics: JSONObject(), note)
        #expect(registry.allows(.shift, of: second))
        try registry.promote(second, metrics: JSONObject(), note)
        #expect(!registry.allows(.shift, of: second))
    }

    @Test func aDifferenceThatALaterProgramKnowsIsPassedOver() throws {
        let text = """
            {"format":1,"champion":"20260101_000000","history":[{"time":"2026-01-01T00:00:00Z",\
            "action":"promote","version":"20260101_000000","by":"a","reason":"b",\
            "allowed":["weather","shift"]}]}
            """
        #expect(try ModelRegistry(Array(text.utf8)).history[0].allowed == [.shift])
    }

    @Test func keepsWhoWhenWhyAndWithWhatMetrics() throws {
        let event = try #require(begun().history.first)
        #expect(event.author == "a")
        #expect(event.reason == "b \"é\"")
        #expect(event.microseconds == 1_000_000)
        #expect(event.metrics["pr_auc"] == 0.5)
        #expect(try reread(begun()).history == [event])
    }

    @Test(arguments: [ModelRegistry.Challenger.Mode.shadow, .share(0.25)])
    func triesOneVersionBesideTheChampion(_ mode: ModelRegistry.Challenger.Mode) throws {
        var registry = begun()
        #expect(throws: RegistryError.noChallenger) { try registry.withdraw(note) }
        #expect(throws: RegistryError.isChampion(first)) {
            try registry.challenge(.init(version: first, mode: mode), metrics: JSONObject(), note)
        }
        try registry.challenge(.init(version: second, mode: mode), metrics: JSONObject(), note)
        #expect(registry.challenger == .init(version: second, mode: mode))
        #expect(registry.champion == first)
        #expect(try reread(registry) == registry)
        try registry.withdraw(note)
        #expect(registry.challenger == nil)
        try registry.challenge(.init(version: second, mode: mode), metrics: JSONObject(), note)
        try registry.promote(second, metrics: JSONObject(), note)
        #expect(registry.challenger == nil)
        #expect(throws: RegistryError.isChampion(second)) {
            try registry.promote(second, metrics: JSONObject(), note)
        }
    }

    @Test(arguments: [0, 1, -0.1, 1.1, .nan])
    func refusesAShareThatIsNone(_ share: Double) {
        var registry = begun()
        #expect(throws: RegistryError.self) {
            try registry.challenge(
                .init(version: second, mode: .share(share)),
                metrics: JSONObject(),
                note
            )
        }
        #expect(registry == begun())
    }

    @Test(arguments: [
        (#""format":2,"champion":"20260101_000000""#, "/format"),
        (#""format":1"#, "/champion"),
        (#""format":1,"champion":"x""#, "/champion"),
        (#"\#(start),"challenger":{"version":"20260102_000000"}"#, "/challenger/mode"),
        (
            #"\#(start),"challenger":{"version":"20260102_000000","mode":"share","share":1}"#,
            "/challenger/share"
        ),
        (#"\#(start),"history":[{"action":"eat"}]"#, "/history/0/action"),
        (#"\#(start),"requires":["quorum"]"#, "requires"),
    ])
    func refusesWhatItCannotRead(_ members: String, _ place: String) {
        let text = Array("{\(members)}".utf8)
        let error = #expect(throws: RegistryError.self) { try ModelRegistry(text) }
        #expect(error?.description.contains(place) == true, "\(error?.description ?? "")")
    }

    @Test func passesOverUnknownKeys() throws {
        let text = #"{"format":1,"champion":"20260101_000000","later":1}"#
        #expect(try ModelRegistry(Array(text.utf8)).champion == first)
    }
}
