// SPDX-License-Identifier: MIT

import JSON
import Testing

@Suite struct PredictTests {
    @Test func answersTheExampleWithItsFieldsInOrder() throws {
        let server = try TestServer()
        let answer = try server.client().request("POST", "/predict", body: TestReading.brief)
        #expect(answer.status == 200)
        #expect(answer.field("content-type") == "application/json")
        guard case .object(let object) = try answer.json else {
            Issue.record("no object")
            return
        }
        #expect(
            object.members.map(\.key) == [
                "equipment_id", "prediction", "probability", "risk_level", "timestamp",
                "model_version", "inference_time_ms", "horizon_hours", "window_fill", "quality",
            ]
        )
        #expect(object["equipment_id"] == "EQ001")
        #expect(object["timestamp"] == "2026-01-01T12:00:00Z")
        #expect(object["model_version"] == .string(TestBundle.firstVersion))
        #expect(object["horizon_hours"] == 24)
        #expect(object["quality"] == [:])
        #expect(object["window_fill"] == ["6h": 0.167, "12h": 0.083, "24h": 0.042])
    }
}
