// SPDX-License-Identifier: MIT

import Features
import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Testing

/// What operators tell of machines.
@Suite struct FeedbackTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func server(_ arguments: [String: String] = [:]) throws -> TestServer {
        var values = ["decision-log": folder.path, "admin-port": "0"]
        values.merge(arguments) { $1 }
        return try TestServer(arguments: values)
    }

    private func stop(_ server: TestServer) {
        server.application.server.stopNow()
        server.application.waitUntilStopped()
    }

    private var path: String { "\(folder.path)/\(FeedbackEvent.fileName)" }

    @Test func eventsAreKeptOnceAndMaintenanceResetsWindows() throws {
        let server = try server()
        let client = try server.client()
        for hour in 0..<4 {
            _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
        }
        let admin = try server.client(.admin)
        let failure = #"{"equipment_id":"M1","kind":"failure","timestamp":"2026-01-01T02:30:00Z"}"#
        let others = """
            [\(failure),{"equipment_id":"M1","kind":"maintenance",\
            "timestamp":"2026-01-01T03:30:00Z","note":"bearing"},\
            {"equipment_id":"new","kind":"planned_stop","timestamp":1767225600}]
            """
        let first = try admin.request("POST", "/feedback", body: failure)
        #expect(first.status == 200)
        #expect(try first.json == ["new": 1, "known": 0, "windows_reset": 0])
        let second = try admin.request("POST", "/feedback", body: others).json
        #expect(second == ["new": 2, "known": 1, "windows_reset": 1])
        let third = try admin.request("POST", "/feedback", body: others).json
        #expect(third == ["new": 0, "known": 3, "windows_reset": 1])
        let machine = try admin.request("GET", "/equipment/M1").json
        #expect(machine["first_pane"] == "2026-01-01T03:00:00Z")
        stop(server)
        let content = try FeedbackFile.read(path)
        #expect(content.events.map(\.kind) == [.failure, .maintenance, .plannedStop])
        #expect(content.events[1].note == "bearing")
        #expect(content.events[1].received == 1_767_268_800_000_000)
        #expect(content.tornLineCount == 0)
    }

    @Test func eventsAreKnownAfterAnEnd() throws {
        let body = #"{"equipment_id":"M1","kind":"failure","timestamp":"2026-01-01T02:30:00Z"}"#
        for expected in [1, 0] {
            let server = try server()
            let answer = try server.client(.admin).request("POST", "/feedback", body: body)
            #expect(try answer.json["new"] == .integer(expected))
            stop(server)
        }
        // A line that a power cut left unfinished is cut off, a changed one passed over.
        let whole = try FileAccess.read(path)
        try FileAccess.write(whole + whole.dropLast(), to: path)
        #expect(try FeedbackFile.read(path).tornLineCount == 1)
        var file = try FeedbackFile.open(folder.path, byteCountMax: 1 << 20)
        #expect(try FileAccess.read(path) == whole)
        let event = FeedbackEvent(equipmentID: "M2", kind: .failure, timestamp: 1, received: 2)
        #expect(try file.append([event, event]) == 1)
        var changed = try FileAccess.read(path)
        changed[20] ^= 1
        try FileAccess.write(changed, to: path)
        let content = try FeedbackFile.read(path)
        #expect(content.events == [event])
        #expect(content.tornLineCount == 1)
    }

    /// Machines are told apart by the bytes of their ids, which Unicode may call equal.
    @Test func eventsOfIDsThatOnlyLookAlikeAreTwo() throws {
        var file = try FeedbackFile.open(folder.path, byteCountMax: 1 << 20)
        let events = ["Pump-\u{E9}", "Pump-e\u{301}"].map {
            FeedbackEvent(equipmentID: $0, kind: .failure, timestamp: 1, received: 2)
        }
        #expect(try file.append(events) == 2)
    }

    @Test(arguments: [
        ("{", 400, nil), ("", 400, nil), ("3", 422, ""), ("[[]]", 422, "/0"),
        (#"{"kind":"failure","timestamp":1}"#, 422, "/equipment_id"),
        (#"{"equipment_id":"","kind":"failure","timestamp":1}"#, 422, "/equipment_id"),
        (#"{"equipment_id":"M","kind":"broken","timestamp":1}"#, 422, "/kind"),
        (#"{"equipment_id":"M","timestamp":1}"#, 422, "/kind"),
        (#"{"equipment_id":"M","kind":"failure"}"#, 422, "/timestamp"),
        (#"{"equipment_id":"M","kind":"failure","timestamp":"soon"}"#, 422, "/timestamp"),
        (#"{"equipment_id":"M","kind":"failure","timestamp":1767268801}"#, 422, "/timestamp"),
        (#"[{"equipment_id":"M","kind":"failure","timestamp":1},{"note":3}]"#, 422, "/1/note"),
    ])
    func whatDoesNotFitIsPointedAt(body: String, status: Int, pointer: String?) throws {
        let server = try server()
        let answer = try server.client(.admin).request("POST", "/feedback", body: body)
        #expect(answer.status == status)
        #expect(answer.field("content-type") == "application/problem+json")
        if let pointer { #expect(answer.body.contains(#""pointer":"\#(pointer)""#)) }
        stop(server)
        #expect(try FeedbackFile.read(path).events.isEmpty)
    }

    /// There is no model whose schema an event would have to fit.
    @Test(arguments: [(2, "2 fields do not fit; see errors."), (32, "32 "), (33, "More than 32 ")])
    func saysHowMuchDoesNotFit(count: Int, start: String) throws {
        let server = try server()
        let event = #"{"equipment_id":"M","kind":"failure","timestamp":"soon"}"#
        let body = "[\(repeatElement(event, count: count).joined(separator: ","))]"
        let answer = try server.client(.admin).request("POST", "/feedback", body: body)
        #expect(answer.status == 422)
        guard case .string(let detail) = try answer.json["detail"] else { return }
        #expect(detail.hasPrefix(start) && !detail.contains("schema"), "\(detail)")
        stop(server)
    }

    @Test func aNumbersFractionIsCut() throws {
        let server = try server()
        let start = #"{"equipment_id":"M","kind":"failure","timestamp":"#
        let body = "[\(start)1700000000.1234567},\(start)\"2023-11-14T22:13:20.1234567Z\"}]"
        let answer = try server.client(.admin).request("POST", "/feedback", body: body)
        #expect(try answer.json["new"] == 1, "\(answer.body)")
        stop(server)
    }

    @Test func limitsHold() throws {
        let server = try server(["feedback-bytes-max": "4096"])
        let admin = try server.client(.admin)
        func event(_ id: String, _ time: Int, note: Int = 0) -> String {
            """
            {"equipment_id":"\(id)","kind":"failure","timestamp":\(time),\
            "note":"\(String(repeating: "n", count: note))"}
            """
        }
        func status(_ body: String) throws -> Int {
            try admin.request("POST", "/feedback", body: body).status
        }
        #expect(try status(event(String(repeating: "i", count: 64), 1)) == 200)
        #expect(try status(event(String(repeating: "i", count: 65), 1)) == 422)
        #expect(try status(event("M", 2, note: 1024)) == 200)
        #expect(try status(event("M", 3, note: 1025)) == 422)
        let many = Array(repeating: event("M", 2), count: 1000)
        #expect(try status("[\(many.joined(separator: ","))]") == 200)
        #expect(try status("[\((many + [event("M", 2)]).joined(separator: ","))]") == 413)
        #expect(try status(event("M", 4, note: 1024)) == 200)
        #expect(try status(event("M", 5, note: 1024)) == 200)
        #expect(try status(event("M", 6, note: 1024)) == 503)
        #expect(try status(event("M", 7)) == 200)
        stop(server)
        #expect(try FileAccess.read(path).count <= 4096)
    }

    @Test func itIsForOperatorsAndNeedsALog() throws {
        let server = try server()
        let body = #"{"equipment_id":"M1","kind":"failure","timestamp":1}"#
        #expect(try server.client().request("POST", "/feedback", body: body).status == 404)
        let without = try TestServer(arguments: ["admin-port": "0"])
        let answer = try without.client(.admin).request("POST", "/feedback", body: body)
        #expect(answer.status == 501)
        let text = try server.client(.admin).request("POST", "/feedback", body: body, type: "a/b")
        #expect(text.status == 415)
        stop(server)
    }
}
