// SPDX-License-Identifier: MIT

@testable import InferenceServer
import JSON
import Platform
import Testing

/// The paths that a platform may ask for, and where it says that its model is.
@Suite struct ContractRouteTests {
    private let paths = [
        "score-path": "/score", "liveness-path": "/live", "readiness-path": "/",
    ]

    @Test func answersUnderThePathsOfAPlatform() throws {
        let server = try TestServer(arguments: paths)
        let client = try server.client()
        for (path, own) in [("/live", "/livez"), ("/", "/readyz")] {
            let answer = try client.request("GET", path)
            #expect(answer.status == 200)
            #expect(try answer.body == client.request("GET", own).body)
        }
        let body = "{\"instances\":[\(TestReading.brief)]}"
        let answer = try client.request("POST", "/score", body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["count"] == 1)
        let lines = try client.request(
            "POST",
            "/score",
            body: TestReading.brief,
            type: "application/x-ndjson"
        )
        #expect(lines.body.contains("\"probability\""))
        #expect(try client.request("GET", "/score").status == 405)
        #expect(try client.request("GET", "/livez").status == 200)
    }

    @Test func hasThemOnlyWhereTheyAreSet() throws {
        let server = try TestServer()
        let client = try server.client()
        #expect(try client.request("POST", "/score", body: "[]").status == 404)
    }

    @Test(arguments: [
        ["score-path": "/predict"], ["liveness-path": "/metrics"],
        ["score-path": "/equipment/{id}"],
        ["liveness-path": "/up", "readiness-path": "/up"], ["score-path": "score"],
        ["score-path": ""], ["score-path": "/a b"], ["score-path": "/a%20b"],
        ["score-path": "/" + String(repeating: "a", count: 128)],
    ])
    func refusesOthersPathsAndWhatIsNone(_ texts: [String: String]) {
        #expect(throws: SettingError.self) { try Settings(texts: texts, environment: [:]) }
    }

    @Test func takesItsOwnPathAndTheLongest() throws {
        let longest = "/" + String(repeating: "a", count: 127)
        let texts = ["liveness-path": "/livez", "score-path": longest]
        let settings = try Settings(texts: texts, environment: [:])
        #expect(settings.contract.all.map(\.path) == [longest])
    }

    @Test func takesTheModelsOfAzureBeforeThoseOfTheImage() throws {
        func directory(_ environment: [String: String]) throws -> String {
            try Settings(texts: [:], environment: environment).modelDirectory
        }
        #expect(try directory(["AZUREML_MODEL_DIR": "/azure", "MODEL_DIR": "/image"]) == "/azure")
        #expect(try directory(["AZUREML_MODEL_DIR": "/azure", "PDM_MODEL_DIR": "/own"]) == "/own")
        #expect(try directory(["MODEL_DIR": "/image"]) == "/image")
    }

    @Test func findsTheFolderThatAzureMounts() throws {
        let mount = try TemporaryDirectory()
        func directory() throws -> String {
            try Settings(texts: [:], environment: ["AZUREML_MODEL_DIR": mount.path]).modelDirectory
        }
        #expect(try directory() == mount.path)
        try FileAccess.makeDirectory("\(mount.path)/promoted")
        try TestBundle.write(to: "\(mount.path)/promoted")
        #expect(try directory() == "\(mount.path)/promoted")
        try FileAccess.write([], to: "\(mount.path)/file")
        #expect(try directory() == mount.path)
        try FileAccess.remove("\(mount.path)/promoted")
        #expect(try directory() == mount.path)
    }

    @Test(arguments: [("[1]", "application/json"), ("", "application/x-ndjson")])
    func namesThePathThatWasAskedFor(_ body: String, _ type: String) throws {
        let inline = ["inline-batch-bytes-max": "0", "inline-line-bytes-max": "0"]
        let server = try TestServer(arguments: paths.merging(inline) { $1 })
        let client = try server.client()
        let answer = try client.request("POST", "/score", body: body, type: type)
        #expect((400..<500).contains(answer.status))
        #expect(try answer.json["instance"] == "/score")
    }
}
