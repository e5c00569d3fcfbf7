// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Training

/// MLflow's model registry over its REST API 2.0, with artifacts that go through its server.
///
/// A bundle becomes a model version whose source is a folder of a run's artifacts. The tags
/// `pdm.version` and `pdm.digest` say which bundle it is.
struct MLflowRegistry {
    /// A version as MLflow numbers it.
    struct Entry {
        let number: String
        let tags: [String: String]

        /// The bundle's version.
        var version: String? { tags[Self.versionTag] }
        /// The SHA-256 of its sums.
        var digest: String? { tags[Self.digestTag] }

        static let versionTag = "pdm.version"
        static let digestTag = "pdm.digest"
    }

    /// Versions of one page of a search.
    private static let pageSize = 200
    /// Pages of a search; each version is a bundle, and nobody keeps so many.
    private static let pagesMax = 1000
    private static let experiment = "predictive-maintenance"

    private let client: RemoteClient

    init(_ client: RemoteClient) {
        self.client = client
    }

    /// All versions of a model, in the order that the registry tells them; none where it does not
    /// know the model.
    ///
    /// - Throws: ``TrainingError``, as every other call here.
    func entries(of model: String) throws(TrainingError) -> [Entry] {
        var entries: [Entry] = []
        var page: String?
        var pages: Set<String> = []
        repeat {
            var query = [
                URLQueryItem(name: "filter", value: "name='\(model)'"),
                URLQueryItem(name: "max_results", value: "\(Self.pageSize)"),
            ]
            if let page { query.append(URLQueryItem(name: "page_token", value: page)) }
            let answer = try call("GET", "model-versions/search", query: query)
            page = try decode { () throws(JSONShapeError) in
                for view in try answer.optional("model_versions")?.array ?? [] {
                    entries.append(try Self.entry(view))
                }
                return try answer.optional("next_page_token")?.string
            }
            if page == "" { page = nil }
            guard let next = page else { break }
            guard pages.insert(next).inserted, pages.count < Self.pagesMax else {
                throw .unusable("\(client.place): the list of versions does not end")
            }
        } while true
        return entries
    }

    /// The version that an alias names.
    func entry(of model: String, alias: String) throws(TrainingError) -> Entry {
        let query = [
            URLQueryItem(name: "name", value: model), URLQueryItem(name: "alias", value: alias),
        ]
        let answer = try call("GET", "registered-models/alias", query: query)
        return try decode { () throws(JSONShapeError) in
            try Self.entry(try answer.required("model_version"))
        }
    }

    /// Makes a model's name known; one that is known already stays.
    func register(_ model: String) throws(TrainingError) {
        let answer = try client.send(
            "POST",
            Self.path("registered-models/create"),
            .json(["name": .string(model)])
        )
        let isKnown = answer.text.contains("RESOURCE_ALREADY_EXISTS")
        guard answer.isSuccess || isKnown else {
            throw refusal(answer, "registered-models/create")
        }
    }

    /// Begins a run whose artifacts hold a bundle.
    ///
    /// - Returns: Its id and where its artifacts go.
    func beginRun(
        named name: String,
        milliseconds: Int64
    ) throws(TrainingError) -> (id: String, artifacts: String) {
        let answer = try call(
            "POST",
            "runs/create",
            [
                "experiment_id": .string(try experimentID()), "run_name": .string(name),
                "start_time": .number(Double(milliseconds)),
            ]
        )
        return try decode { () throws(JSONShapeError) in
            let info = try answer.required("run").required("info")
            return (try info.required("run_id").string, try info.required("artifact_uri").string)
        }
    }

    /// Notes a run's metrics and that it is over.
    func endRun(
        _ id: String,
        metrics: [(name: String, value: Double)],
        milliseconds: Int64
    ) throws(TrainingError) {
        let time = JSONValue.number(Double(milliseconds))
        let list = metrics.map { metric -> JSONValue in
            [
                "key": .string(metric.name), "value": .number(metric.value), "timestamp": time,
                "step": 0,
            ]
        }
        _ = try call("POST", "runs/log-batch", ["run_id": .string(id), "metrics": .array(list)])
        _ = try call(
            "POST",
            "runs/update",
            ["run_id": .string(id), "status": "FINISHED", "end_time": time]
        )
    }

    /// Registers a folder of a run's artifacts as the next version of a model.
    ///
    /// - Returns: Its number.
    func addVersion(
        of model: String,
        source: String,
        run: String,
        tags: [(name: String, value: String)]
    ) throws(TrainingError) -> String {
        let list = tags.map { tag -> JSONValue in
            ["key": .string(tag.name), "value": .string(tag.value)]
        }
        let answer = try call(
            "POST",
            "model-versions/create",
            [
                "name": .string(model), "source": .string(source), "run_id": .string(run),
                "tags": .array(list),
            ]
        )
        return try decode { () throws(JSONShapeError) in
            try answer.required("model_version").required("version").string
        }
    }

    /// Makes an alias name a version, in the place of the one that it named.
    func setAlias(_ alias: String, of model: String, to number: String) throws(TrainingError) {
        _ = try call(
            "POST",
            "registered-models/alias",
            ["name": .string(model), "alias": .string(alias), "version": .string(number)]
        )
    }

    /// Where the files of a version are.
    func source(of model: String, number: String) throws(TrainingError) -> String {
        let query = [
            URLQueryItem(name: "name", value: model), URLQueryItem(name: "version", value: number),
        ]
        let answer = try call("GET", "model-versions/get-download-uri", query: query)
        let address = try decode { () throws(JSONShapeError) in
            try answer.required("artifact_uri").string
        }
        // What others registered may be said in terms of a run.
        guard let rest = address.wholeMatch(of: /runs:\/([0-9A-Za-z_-]+)\/(.+)/) else {
            return address
        }
        let id = URLQueryItem(name: "run_id", value: String(rest.1))
        let run = try call("GET", "runs/get", query: [id])
        return try decode { () throws(JSONShapeError) in
            let artifacts = try run.required("run").required("info").required("artifact_uri").string
            return "\(artifacts)/\(rest.2)"
        }
    }

    /// Stores a file in a folder of artifacts.
    func upload(_ bytes: [UInt8], to folder: String, name: String) throws(TrainingError) {
        let path = try artifactPath(folder, name)
        let answer = try client.send("PUT", path, .bytes(bytes, type: "application/octet-stream"))
        guard answer.isSuccess else { throw refusal(answer, "upload of \(name)") }
    }

    /// Fetches a file from a folder of artifacts; nil where there is none of that name.
    func download(
        from folder: String,
        name: String,
        bytesMax: Int
    ) throws(TrainingError) -> [UInt8]? {
        let path = try artifactPath(folder, name)
        let answer = try client.send("GET", path, bytesMax: bytesMax)
        if answer.status == 404 { return nil }
        guard answer.isSuccess else { throw refusal(answer, "download of \(name)") }
        return answer.bytes
    }

    /// `mlflow-artifacts:/0/RUN/artifacts/bundle`, also with a host, as a path of the server.
    private func artifactPath(
        _ folder: String,
        _ name: String
    ) throws(TrainingError) -> String {
        guard let parts = URLComponents(string: folder), parts.scheme == "mlflow-artifacts" else {
            throw .unusable(
                "\(folder): only artifacts that go through the MLflow server"
                    + " (mlflow-artifacts:) can be stored and fetched"
            )
        }
        return "/api/2.0/mlflow-artifacts/artifacts\(parts.percentEncodedPath)/\(name)"
    }

    private func experimentID() throws(TrainingError) -> String {
        let name = URLQueryItem(name: "experiment_name", value: Self.experiment)
        let found = try client.send("GET", Self.path("experiments/get-by-name"), query: [name])
        if found.isSuccess {
            let answer = try parse(found)
            return try decode { () throws(JSONShapeError) in
                try answer.required("experiment").required("experiment_id").string
            }
        }
        let made = try call("POST", "experiments/create", ["name": .string(Self.experiment)])
        return try decode { () throws(JSONShapeError) in
            try made.required("experiment_id").string
        }
    }

    private static func entry(_ view: JSONView) throws(JSONShapeError) -> Entry {
        var tags: [String: String] = [:]
        for tag in try view.optional("tags")?.array ?? [] {
            tags[try tag.required("key").string] = try tag.optional("value")?.string ?? ""
        }
        return Entry(number: try view.required("version").string, tags: tags)
    }

    private static func path(_ call: String) -> String { "/api/2.0/mlflow/\(call)" }

    private func call(
        _ method: String,
        _ name: String,
        query: [URLQueryItem] = [],
        _ body: JSONValue? = nil
    ) throws(TrainingError) -> JSONView {
        let content = body.map { RemoteClient.Content.json($0) } ?? .none
        let answer = try client.send(method, Self.path(name), query: query, content)
        guard answer.isSuccess else { throw refusal(answer, name) }
        return try parse(answer)
    }

    private func parse(_ answer: RemoteClient.Answer) throws(TrainingError) -> JSONView {
        do throws(JSONError) {
            return JSONView(try JSONValue.parse(answer.bytes))
        } catch {
            throw .json(path: client.place, error)
        }
    }

    private func decode<Value>(
        _ body: () throws(JSONShapeError) -> Value
    ) throws(TrainingError) -> Value {
        do throws(JSONShapeError) {
            return try body()
        } catch {
            throw .shape(path: client.place, error)
        }
    }

    private func refusal(_ answer: RemoteClient.Answer, _ what: String) -> TrainingError {
        .unusable("\(client.place): \(what): status \(answer.status): \(answer.text)")
    }
}
