// SPDX-License-Identifier: MIT

import Features
import Testing

struct FeatureSpecTests {
    private static let stateless = Schema(
        name: "s",
        entityColumn: nil,
        time: nil,
        sensors: [Sensor(name: "a"), Sensor(name: "b")],
        label: .column("y"),
        horizonHours: nil
    )

    private static let mixed = Schema(
        name: "m",
        entityColumn: "unit",
        time: .init(column: "t", unit: .hours),
        sensors: [
            Sensor(name: "a", range: 0...1),
            Sensor(name: "n", kind: .counter),
            Sensor(name: "hour", range: 0...1),
            Sensor(name: "k", kind: .category, categories: ["x", "y"]),
        ],
        label: .column("y"),
        horizonHours: nil
    )

    private func error(_ spec: FeatureSpec, _ schema: Schema) -> SpecError? {
        do throws(SpecError) {
            _ = try spec.resolved(for: schema)
            return nil
        } catch {
            return error
        }
    }

    private func error(_ element: FeatureSpec.Element, pane: Int = 3600) -> SpecError? {
        error(FeatureSpec(name: "x", paneSeconds: pane, elements: [element]), Self.mixed)
    }

    @Test(
        arguments: [
            .raw(.named(["z"])), .product("a", "z"), .product("z", "a"), .ratio("a", "z"),
            .rate(.named(["z"])), .window([.mean], hours: [6], .named(["z"])),
            .deviation(hours: 6, .named(["z"])), .difference("a", "z"), .power("z", exponent: 2),
            .sinceStart([.mean], .named(["z"])),
        ] as [FeatureSpec.Element]
    )
    func refusesUnknownSensors(element: FeatureSpec.Element) {
        #expect(error(element) == .unknownSensor("z"))
    }

    @Test(
        arguments: [
            .rate(.named(["n"])), .window([.mean], hours: [6], .named(["n"])),
            .deviation(hours: 6, .named(["n"])), .product("a", "k"), .ratio("k", "a"),
            .difference("k", "a"), .power("k", exponent: 2), .sinceStart([.slope], .named(["n"])),
        ] as [FeatureSpec.Element]
    )
    func refusesWhatASensorsKindCannotGive(element: FeatureSpec.Element) {
        guard case .invalid = error(element) else {
            Issue.record("accepted")
            return
        }
    }

    @Test(arguments: [
        (1, 3600, true), (256, 3600, true), (257, 3600, false), (0, 3600, false),
        (-1, 3600, false), (.max, 3600, false), (1, 7200, false), (2, 7200, true),
        (1, 1800, true), (128, 1800, true), (129, 1800, false), (168, 604_800, true),
    ])
    func windowsAreWholePanesAndBounded(hours: Int, pane: Int, isAccepted: Bool) {
        let window = FeatureSpec.Element.window([.mean], hours: [hours], .named(["a"]))
        #expect((error(window, pane: pane) == nil) == isAccepted)
        let deviation = FeatureSpec.Element.deviation(hours: hours, .named(["a"]))
        #expect((error(deviation, pane: pane) == nil) == isAccepted)
        #expect((error(.windowFill(hours: [hours]), pane: pane) == nil) == isAccepted)
    }

    @Test(arguments: [(1, false), (2, true), (8, true), (9, false), (-1, false)])
    func boundsThePower(exponent: Int, isAccepted: Bool) {
        #expect((error(.power("a", exponent: exponent)) == nil) == isAccepted)
    }

    @Test(arguments: [(0, false), (1, true), (604_800, true), (604_801, false), (.max, false)])
    func boundsThePane(seconds: Int, isAccepted: Bool) {
        #expect((error(.raw(.all), pane: seconds) == nil) == isAccepted)
    }

    @Test func refusesTwoColumnsOfOneName() {
        let twice = FeatureSpec(name: "x", elements: [.raw(.all), .raw(.named(["a"]))])
        #expect(error(twice, Self.mixed) == .duplicate("a"))
        let hours = FeatureSpec(name: "x", elements: [.raw(.gauges), .calendar])
        #expect(error(hours, Self.mixed) == .duplicate("hour"))
    }

    @Test func refusesTimeWhereThereIsNone() {
        for element: FeatureSpec.Element in [
            .calendar, .rate(.all), .window([.mean], hours: [6], .all), .deviation(hours: 6, .all),
            .sinceStart([.mean], .all), .windowFill(hours: [6]),
        ] {
            guard case .invalid = error(FeatureSpec(name: "x", elements: [element]), Self.stateless)
            else {
                Issue.record("accepted \(element)")
                continue
            }
        }
        #expect(error(FeatureSpec(name: "x", elements: [.raw(.all)]), Self.stateless) == nil)
    }

    @Test func refusesNoColumnsAndTooMany() {
        let none = FeatureSpec(name: "x", elements: [.health, .healthComposite])
        #expect(error(none, Self.mixed) == .count(what: "features", count: 0, limit: 4096))
        var wide = Self.mixed
        wide.sensors = (0..<256).map { Sensor(name: "s\($0)", range: 0...1) }
        func spec(_ hours: ClosedRange<Int>) -> FeatureSpec {
            FeatureSpec(name: "x", elements: [.window([.mean], hours: Array(hours), .all)])
        }
        #expect(error(spec(1...16), wide) == nil)
        #expect(error(spec(1...17), wide) == .count(what: "features", count: 4352, limit: 4096))
    }

    @Test func schemaRefusesWhatDoesNotFit() {
        func error(_ change: (inout Schema) -> Void) -> SpecError? {
            var schema = Schema.standard
            change(&schema)
            do throws(SpecError) {
                try schema.validate()
                return nil
            } catch {
                return error
            }
        }
        #expect(error { _ in } == nil)
        #expect(error { $0.sensors[1].name = "temperature" } == .duplicate("temperature"))
        let reserved = error { $0.sensors[1].name = "timestamp" }
        #expect(reserved == .invalid(what: "timestamp", why: "the name is reserved"))
        #expect(error { $0.sensors = [] } == .count(what: "sensors", count: 0, limit: 256))
        #expect(error { $0.sensors[0].column = "failure" } != nil)
        #expect(error { $0.excludedColumns = ["current"] } != nil)
        #expect(error { $0.sensors[0].alarm = 85 } != nil)
        #expect(error { $0.sensors[0].stuckAfter = 1 } != nil)
        #expect(error { $0.sensors[0].stuckAfter = 2 } == nil)
        #expect(error { $0.sensors[0].range = -.infinity...0 } != nil)
        #expect(error { $0.sensors[0].categories = ["x"] } != nil)
        #expect(error { $0.sensors[0].kind = .category } != nil)
        #expect(error { $0.time?.offsetMinutes = 1440 } == nil)
        #expect(error { $0.time?.offsetMinutes = -1441 } != nil)
    }

    @Test func transformRefusesWhatDoesNotFit() throws {
        let transform = try makeTransform()
        func error(_ change: (inout FeatureTransform) -> Void) -> SpecError? {
            var changed = transform
            change(&changed)
            do throws(SpecError) {
                _ = try FeatureEngine(changed)
                return nil
            } catch {
                return error
            }
        }
        #expect(error { _ in } == nil)
        #expect(error { $0.cleaning.removeLast() } != nil)
        #expect(error { $0.scaling.removeLast() } != nil)
        #expect(error { $0.scaling[3].scale = 0 } != nil)
        #expect(error { $0.scaling[3].center = .nan } != nil)
        #expect(error { $0.cleaning[0].imputed = .nan } != nil)
        #expect(error { $0.cleaning[0].clip = -.infinity...0 } != nil)
        #expect(error { $0.scaledClip = 0 } != nil)
        #expect(error { $0.features = [] } != nil)
        #expect(error { $0.layout.paneCount = 23 } != nil)
        #expect(error { $0.layout.paneCount = 257 } != nil)
        #expect(error { $0.layout.paneCount = 256 } == nil)
        #expect(error { $0.layout.paneSeconds = 0 } != nil)
        #expect(error { $0.layout.paneSeconds = .max } != nil)
        #expect(error { $0.layout.paneSeconds = 7200 } == nil)
        #expect(error { $0.layout.gauges.swapAt(0, 1) } != nil)
        #expect(error { $0.layout.gauges.removeLast() } != nil)
        #expect(error { $0.layout.gauges[0].keepsSquares = false } != nil)
        #expect(error { $0.layout.gauges[0].keepsMaximum = false } != nil)
        #expect(error { $0.layout.gauges[0].range = 1...1 } != nil)
        let endless = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        #expect(error { $0.layout.gauges[0].range = endless } != nil)
        #expect(error { $0.layout.gauges[0].range = 0...1e-251 } != nil)
    }
}
