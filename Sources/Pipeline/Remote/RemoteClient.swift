// SPDX-License-Identifier: MIT

import Foundation
import FoundationNetworking
import JSON
import Training

/// Sends requests to a service over HTTP or HTTPS, again where that may help.
///
/// Redirects are not followed, so that a token goes nowhere but to the service that it is for.
struct RemoteClient: Sendable {
    /// What a request carries.
    enum Content {
        case none
        case json(JSONValue)
        case bytes([UInt8], type: String)
    }

    /// What a service said.
    struct Answer {
        let status: Int
        let bytes: [UInt8]

        var isSuccess: Bool { (200..<300).contains(status) }

        /// Whether the same request may do better a moment later.
        fileprivate var isTransient: Bool { status == 429 || status == 503 }

        /// The beginning of the body, for a message.
        var text: String { String(decoding: bytes.prefix(300), as: UTF8.self) }
    }

    /// Attempts of one request, the first among them.
    private static let attemptsMax = 4
    /// Time until an attempt has to have its answer.
    private let timeoutSeconds: Double
    /// Pause before the second attempt; each further one waits twice as long.
    private let pauseSeconds: Double

    /// What every path is appended to.
    let base: String
    /// The value of `Authorization`.
    private let authorization: String?
    /// Header fields of every request beside those.
    private let fields: [(name: String, value: String)]

    /// By default an answer may take a minute: an artifact store may copy to a slow disk.
    init(
        base: String,
        authorization: String? = nil,
        fields: [(name: String, value: String)] = [],
        timeoutSeconds: Double = 60,
        pauseSeconds: Double = 0.5
    ) {
        self.base = base
        self.authorization = authorization
        self.fields = fields
        self.timeoutSeconds = timeoutSeconds
        self.pauseSeconds = pauseSeconds
    }

    /// The address as it may be told.
    var place: String { Self.withoutSecrets(base) }

    /// A text whose addresses have lost their users and queries, where keys may be.
    static func withoutSecrets(_ text: String) -> String {
        // To the last `@` before the path: a password that was not encoded may hold one.
        text.replacing(/(https?:\/\/)[^\s\/]*@/) { $0.1 }
            .replacing(/(https?:[^\s?]*)\?[^\s:]*/) { $0.1 }
    }

    /// Sends a request; what does not change when it is sent twice is also sent again after a lost
    /// connection or a fault of the service.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where no answer came or it is too large.
    func send(
        _ method: String,
        _ path: String,
        query: [URLQueryItem] = [],
        _ content: Content = .none,
        bytesMax: Int = 16 << 20
    ) throws(TrainingError) -> Answer {
        let request = try request(method, path, query, content)
        var pause = pauseSeconds
        var attempt = 1
        while true {
            var trouble: TrainingError?
            do throws(TrainingError) {
                let answer = try CommandTrace.current.call(request, bytesMax: bytesMax)
                let isFault = answer.status >= 500 && method != "POST"
                if attempt == Self.attemptsMax || !(answer.isTransient || isFault) {
                    return answer
                }
            } catch {
                trouble = error
            }
            if let trouble, attempt == Self.attemptsMax || method == "POST" { throw trouble }
            Thread.sleep(forTimeInterval: pause)
            pause *= 2
            attempt += 1
        }
    }

    private func request(
        _ method: String,
        _ path: String,
        _ query: [URLQueryItem],
        _ content: Content
    ) throws(TrainingError) -> URLRequest {
        var parts = URLComponents(string: base + path)
        if !query.isEmpty { parts?.queryItems = query }
        guard let url = parts?.url, ["http", "https"].contains(url.scheme), url.host != nil else {
            throw .unusable("\(place): an address begins with http:// or https:// and a host")
        }
        var request = URLRequest(url: url, timeoutInterval: timeoutSeconds)
        request.httpMethod = method
        if let authorization {
            request.setValue(authorization, forHTTPHeaderField: "Authorization")
        }
        switch content {
        case .none: break
        case .json(let value):
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(value.serialized())
        case .bytes(let bytes, let type):
            request.setValue(type, forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(bytes)
        }
        for (name, value) in fields { request.setValue(value, forHTTPHeaderField: name) }
        return request
    }
}
