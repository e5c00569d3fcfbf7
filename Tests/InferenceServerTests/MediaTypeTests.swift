// SPDX-License-Identifier: MIT

@testable import InferenceServer
import Testing

@Suite struct MediaTypeTests {
    private static let types: [(String, MediaType)] = [
        ("application/json", .json), ("Application/JSON", .json), ("text/json", .json),
        ("application/problem+json", .json), ("application/json;charset=utf-8", .json),
        ("application/json; charset=utf-8", .json), ("application/json \t; charset=utf-8", .json),
        ("application/json;", .json), ("application/json ", .json),
        ("application/x-ndjson", .newlineDelimitedJSON),
        ("application/jsonl; charset=utf-8", .newlineDelimitedJSON),
        ("application/json charset=utf-8", .other), ("application/json, text/json", .other),
        ("application/json x", .other), ("application/x-ndjson x", .other), ("text/plain", .other),
        ("", .other),
    ]

    @Test(arguments: types)
    func readsAFieldsValue(_ text: String, _ expected: MediaType) {
        let bytes = Array("x\(text)y".utf8)
        #expect(MediaType(1..<bytes.count - 1, in: bytes.span) == expected)
    }

    @Test(arguments: [
        ("application/x-ndjson", 415), ("application/jsonl", 415),
        ("application/json charset=utf-8", 415), ("application/json ; charset=utf-8", 200),
    ])
    func oneReadingIsJSON(_ type: String, _ status: Int) throws {
        let server = try TestServer()
        for target in ["/predict", "/predict?explain=false"] {
            let answer = try server.client().request(
                "POST",
                target,
                body: TestReading.brief,
                type: type
            )
            #expect(answer.status == status, "\(target): \(answer.body)")
        }
    }
}
