// SPDX-License-Identifier: MIT

import Glibc
import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Synchronization
import Testing

/// The real service on a free port of loopback, stopped with its owner.
final class TestServer: Sendable {
    let directory: TemporaryDirectory
    let application: Application
    let lines: LogLines

    /// Starts a service; `bundles` writes into its model directory first.
    init(
        arguments: [String: String] = [:],
        clock: MonotonicClock = .system,
        wallClock: WallClock = WallClock { 1_767_268_800_000_000 },
        bundles: (String) throws -> Void = { try TestBundle.write(to: $0) }
    ) throws {
        directory = try TemporaryDirectory()
        lines = LogLines()
        try bundles(directory.path)
        var values = ["port": "0", "event-loops": "2", "model-dir": directory.path]
        // However slow the machine of the tests is, nothing is turned away.
        values["queue-delay-max"] = "1min"
        values.merge(arguments) { $1 }
        let settings = try Settings(
            texts: values,
            environment: [:]
        )
        let log = Log(level: .debug, clock: wallClock) { [lines] in lines.append($0) }
        application = try Application(
            settings: settings,
            log: log,
            clock: clock,
            wallClock: wallClock
        )
        if let state = values["state-dir"] { Self.waitForLock(of: state) }
        try application.start()
    }

    /// A worker that has given its last answer may hold the server before for a moment yet.
    private static func waitForLock(of directory: String) {
        for _ in 0..<100 {
            guard let lock = try? FileLock("\(directory)/lock"), (try? lock.take()) == false else {
                return
            }
            usleep(10_000)
        }
    }

    deinit { application.server.stopNow() }

    /// Ends it as a process ends, and lets its state directory go.
    func stop() {
        application.server.stopNow()
        application.waitUntilStopped()
    }

    func client(_ listener: Listener = .main) throws -> TestClient {
        try TestClient(port: #require(application.server.port(of: listener)))
    }

    /// Has a reading of each of so many machines answered.
    func predict(machines count: Int, hour: Int = 0) throws {
        let client = try client()
        for machine in 0..<count {
            let body = TestReading.json(machine, hour: hour)
            #expect(try client.request("POST", "/predict", body: body).status == 200)
        }
    }

    /// What it says of its model.
    func modelInfo() throws -> JSONValue {
        try client().request("GET", "/model/info").json
    }
}

/// A monotonic clock that stands where it is set.
final class TestClock: Sendable {
    private let now = Atomic<Int64>(0)

    var clock: MonotonicClock { MonotonicClock { [self] in now.load(ordering: .relaxed) } }

    func set(_ nanoseconds: Int64) { now.store(nanoseconds, ordering: .relaxed) }
}

/// The lines that a log wrote.
final class LogLines: Sendable {
    private let lines = Lock<[String]>([])

    func append(_ bytes: [UInt8]) {
        lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }

    func containing(_ text: String) -> [String] {
        lines.withLock { $0.filter { $0.contains(text) } }
    }
}

/// Readings of the standard schema.
enum TestReading {
    static let brief = """
        {"equipment_id":"EQ001","temperature":85.5,"vibration":2.3,"pressure":95.0,\
        "rotation_speed":1350,"current":22.5,"operating_hours":1500}
        """

    /// A reading of a machine at an hour of 2026-01-01.
    static func json(_ machine: Int, hour: Int, temperature: Double = 70) -> String {
        """
        {"equipment_id":"M\(machine)","timestamp":\(1_767_225_600 + hour * 3600),\
        "temperature":\(temperature),"vibration":\(1 + Double(machine) / 8),"pressure":101.25,\
        "rotation_speed":1480,"current":\(20 + abs(hour)),"operating_hours":\(1000 + hour)}
        """
    }
}
