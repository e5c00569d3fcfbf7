// SPDX-License-Identifier: MIT

import Dispatch
import Foundation
import FoundationNetworking
import Platform
import Training

/// One request and its answer, of which no more than a limit is taken in.
///
/// Note on threads: the session calls from a queue of its own; what it says is under a mutex.
final class Exchange: NSObject, URLSessionDataDelegate, Sendable {
    private struct Progress {
        var bytes: [UInt8] = []
        var isTooLarge = false
        /// Grows with every sign of life.
        var stepCount = 0
        var outcome: Result<Int, any Error>?
    }

    /// What is kept of an answer that is no success, for a message; the rest is passed over.
    private static let refusalBytesMax = 16 << 10

    /// What the session may take longer than the request's own time to say that it is over.
    private static let graceSeconds = 5.0

    private let bytesMax: Int
    private let progress = Lock(Progress())
    private let end = DispatchSemaphore(value: 0)

    private init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where none came or it is too large.
    static func run(
        _ request: URLRequest,
        bytesMax: Int
    ) throws(TrainingError) -> RemoteClient.Answer {
        let exchange = Exchange(bytesMax: bytesMax)
        let session = URLSession(configuration: .ephemeral, delegate: exchange, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        task.resume()
        if !exchange.waitForEnd(idleSeconds: request.timeoutInterval + graceSeconds) {
            task.cancel()
        }
        let progress = exchange.progress.withLock { $0 }
        let place =
            "\(request.httpMethod ?? "") "
            + RemoteClient.withoutSecrets(request.url?.absoluteString ?? "")
        guard !progress.isTooLarge else {
            throw .unusable("\(place): the answer is larger than the limit of \(bytesMax) bytes")
        }
        switch progress.outcome {
        case .success(let status):
            return RemoteClient.Answer(status: status, bytes: progress.bytes)
        case .failure(let error): throw .unusable("\(place): \(error.localizedDescription)")
        case nil: throw .unusable("\(place): no answer")
        }
    }

    /// Waits for the end, or until nothing has come or gone for so long, whatever the session says.
    ///
    /// - Returns: Whether it was the end.
    private func waitForEnd(idleSeconds: Double) -> Bool {
        var seen = 0
        while true {
            if end.wait(timeout: .now() + idleSeconds) == .success { return true }
            let now = progress.withLock { $0.stepCount }
            if now == seen { return false }
            seen = now
        }
    }

    /// A service that asks who is there gets no other answer: its refusal is the answer.
    ///
    /// Without this the session waits for a credential for good.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        guard let response = challenge.failureResponse as? HTTPURLResponse else {
            return completionHandler(.performDefaultHandling, nil)
        }
        progress.withLock { $0.outcome = .success(response.statusCode) }
        completionHandler(.cancelAuthenticationChallenge, nil)
        end.signal()
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didSendBodyData bytesSent: Int64,
        totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        progress.withLock { $0.stepCount += 1 }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        progress.withLock { $0.stepCount += 1 }
        let status = (dataTask.response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else {
            // The limit is that of what was asked for, which this is not.
            return progress.withLock { progress in
                let room = Self.refusalBytesMax - progress.bytes.count
                progress.bytes.append(contentsOf: data.prefix(max(0, room)))
            }
        }
        let isTooLarge = progress.withLock { progress in
            progress.isTooLarge = progress.bytes.count + data.count > bytesMax
            if !progress.isTooLarge { progress.bytes.append(contentsOf: data) }
            return progress.isTooLarge
        }
        if isTooLarge { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didCompleteWithError error: (any Error)?
    ) {
        let status = (task.response as? HTTPURLResponse)?.statusCode
        progress.withLock { progress in
            guard progress.outcome == nil else { return }
            if let error {
                progress.outcome = .failure(error)
            } else {
                progress.outcome = status.map { .success($0) }
            }
        }
        end.signal()
    }
}
