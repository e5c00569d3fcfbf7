// SPDX-License-Identifier: MIT

import Dispatch
import Foundation
import FoundationNetworking
import OTLP
import Platform
import Training

/// The trace of a command: its span, and one for each call to another service.
///
/// Without `OTEL_EXPORTER_OTLP_ENDPOINT` there is none, and calls go out as they are. It begins a
/// trace, or goes on with that of `TRACEPARENT`, and is sent when the command has ended, within a
/// bounded time; what cannot be sent is told in a line and is no fault of the command.
///
/// - Note: Thread-safe: what has come together is under a mutex.
final class CommandTrace: Sendable {
    private struct State {
        var context: TraceContext
        var start: Int64
        var spans: [TelemetrySpan] = []
        var events: [TelemetryEvent] = []
        var hasFailed = false
    }

    /// Spans of one command; a run with more calls keeps the first.
    private static let spansMax = 2000
    private static let timeoutSeconds = 5.0
    private static let answerBytesMax = 1 << 20
    private static let writer = OTLPWriter(service: "pdm", program: "pdm", version: nil)

    /// The trace of this process.
    static let current = CommandTrace(environment: ProcessInfo.processInfo.environment)

    private let endpoint: String?
    private let parent: String?
    private let clock: WallClock
    private let state: Lock<State>

    init(environment: [String: String], clock: WallClock = .system) {
        let endpoint = environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? ""
        self.endpoint = endpoint.isEmpty ? nil : endpoint.trimmingCharacters(in: ["/"])
        parent = environment["TRACEPARENT"]
        self.clock = clock
        state = Lock(State(context: Self.context(parent), start: Self.now(clock)))
    }

    private static func context(_ parent: String?) -> TraceContext {
        parent.flatMap { TraceContext(traceparent: $0) } ?? TraceContext()
    }

    private static func now(_ clock: WallClock) -> Int64 { clock.nowMicroseconds * 1000 }

    /// Makes a call under a span of its own, whose place in the trace goes out with it.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where no answer came or it is too large.
    func call(
        _ request: URLRequest,
        bytesMax: Int
    ) throws(TrainingError) -> RemoteClient.Answer {
        guard endpoint != nil else { return try Exchange.run(request, bytesMax: bytesMax) }
        let context = state.withLock { $0.context.child() }
        var request = request
        request.setValue(context.traceparent, forHTTPHeaderField: "traceparent")
        let start = Self.now(clock)
        do throws(TrainingError) {
            let answer = try Exchange.run(request, bytesMax: bytesMax)
            note(request, context, start, status: answer.status)
            return answer
        } catch {
            note(request, context, start, status: nil)
            note(error, in: context)
            throw error
        }
    }

    /// What a program is told that goes on with the trace.
    var environment: [String: String] {
        endpoint == nil ? [:] : ["TRACEPARENT": state.withLock(\.context).traceparent]
    }

    /// Notes why the command fails.
    func note(_ error: TrainingError) {
        guard endpoint != nil else { return }
        let context = state.withLock { state in
            state.hasFailed = true
            return state.context
        }
        note(error, in: context)
    }

    /// Ends the span of what was done, sends all there is, and begins anew.
    func end(_ name: String) {
        guard let endpoint else { return }
        let now = Self.now(clock)
        let done = state.withLock { state in
            defer { state = State(context: Self.context(parent), start: now) }
            return state
        }
        let span = TelemetrySpan(
            done.context,
            name: name,
            kind: .inside,
            start: done.start,
            end: now,
            isError: done.hasFailed,
            attributes: []
        )
        send(Self.writer.traces([span] + done.spans), to: endpoint + OTLPWriter.tracesPath)
        guard !done.events.isEmpty else { return }
        send(Self.writer.logs(done.events), to: endpoint + OTLPWriter.logsPath)
    }

    private func note(
        _ request: URLRequest,
        _ context: TraceContext,
        _ start: Int64,
        status: Int?
    ) {
        let method = request.httpMethod ?? "GET"
        var attributes: [Attribute] = [("http.request.method", .string(method))]
        if let url = request.url { attributes += Self.attributes(of: url) }
        if let status { attributes.append(("http.response.status_code", .integer(status))) }
        let isError = status.map { $0 >= 400 } ?? true
        if isError { attributes.append(("error.type", .string(status.map(String.init) ?? "none"))) }
        let span = TelemetrySpan(
            context,
            name: method,
            kind: .client,
            start: start,
            end: Self.now(clock),
            isError: isError,
            attributes: attributes
        )
        state.withLock { state in
            if state.spans.count < Self.spansMax { state.spans.append(span) }
        }
    }

    /// What may be told of an address: no query and no user, where keys may be.
    static func attributes(of url: URL) -> [Attribute] {
        var parts = URLComponents()
        (parts.scheme, parts.host, parts.port) = (url.scheme, url.host(), url.port)
        parts.path = url.path()
        var attributes: [Attribute] = []
        if let host = url.host() { attributes.append(("server.address", .string(host))) }
        let port = url.port ?? (url.scheme == "https" ? 443 : 80)
        attributes.append(("server.port", .integer(port)))
        attributes.append(("url.full", .string(parts.string ?? "")))
        return attributes
    }

    private func note(_ error: TrainingError, in context: TraceContext) {
        let event = TelemetryEvent.exception(
            type: "TrainingError",
            message: RemoteClient.withoutSecrets("\(error)"),
            time: Self.now(clock),
            traceID: context.traceID,
            spanID: context.spanID
        )
        state.withLock { state in
            if state.events.count < Self.spansMax { state.events.append(event) }
        }
    }

    private func send(_ body: [UInt8], to address: String) {
        let place = RemoteClient.withoutSecrets(address)
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme) else {
            return Console.error("OTEL_EXPORTER_OTLP_ENDPOINT: \(place) is no address")
        }
        var request = URLRequest(url: url, timeoutInterval: Self.timeoutSeconds)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(body)
        let (sent, outcome) = (request, Outcome())
        let end = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            do throws(TrainingError) {
                let answer = try Exchange.run(sent, bytesMax: Self.answerBytesMax)
                outcome.set(answer.isSuccess ? nil : "status \(answer.status)")
            } catch {
                outcome.set("\(error)")
            }
            end.signal()
        }
        // The time-out of the request begins anew with each byte.
        let isInTime = end.wait(timeout: .now() + Self.timeoutSeconds) == .success
        let late = "no answer in \(Int(Self.timeoutSeconds)) seconds"
        let trouble = isInTime ? outcome.trouble : late
        if let trouble { Console.error("telemetry was not sent to \(place): \(trouble)") }
    }
}

/// What came of sending.
private final class Outcome: Sendable {
    private let text = Lock<String?>(nil)

    var trouble: String? { text.withLock(\.self) }

    func set(_ trouble: String?) { text.withLock { $0 = trouble } }
}
