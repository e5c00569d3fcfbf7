// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Platform
import Synchronization

/// Answers a body in capitals, in a way that the request's path names.
final class CapitalStream: BodyStream {
    enum Way: String {
        /// Each piece at once; a full stop at the end, the status behind a `!` at a failure.
        case loud
        /// How many bytes there were, at the end.
        case quiet
        /// As `quiet`, with ten seconds for each piece.
        case hurried
        /// Up to the first `x`.
        case early
        /// 422 to the first piece.
        case refusing
        /// As `loud`, from another thread.
        case later
        /// As `loud`, but the test lets the answers go.
        case held
    }

    private let way: Way
    private let handler: StreamHandler
    private let count = Atomic(0)
    /// When the time for the next piece is over; 0 where nobody has asked yet.
    private let due = Atomic<Int64>(0)

    init(_ way: Way, _ handler: StreamHandler) {
        self.way = way
        self.handler = handler
    }

    func receive(_ bytes: Span<UInt8>, _ event: StreamEvent, response: inout Response) {
        handler.pieceBytesMax.max(bytes.count, ordering: .relaxed)
        var text: [UInt8] = []
        for index in bytes.indices { text.append(bytes[index]) }
        count.add(text.count, ordering: .relaxed)
        due.store(0, ordering: .relaxed)
        response.contentType = .text
        switch way {
        case .loud: response.body = Self.capitals(text, event)
        case .quiet, .hurried:
            if event != .piece {
                response.body = Array("\(count.load(ordering: .relaxed))".utf8)
            }
        case .early:
            let end = text.firstIndex(of: UInt8(ascii: "x"))
            response.endsStream = end != nil
            response.body = Self.capitals(
                Array(text[..<(end ?? text.count)]),
                end == nil ? event : .piece
            )
        case .refusing:
            response.status = 422
            response.endsStream = true
            response.body = Array("no".utf8)
        case .later, .held:
            let handle = response.defer()
            let body = Self.capitals(text, event)
            guard way == .later else {
                return handler.held.withLock { $0.append((handle, body)) }
            }
            handler.worker.async { handle.complete(Self.answer(body)) }
        }
    }

    func pieceDeadline(at now: Int64) -> Int64? {
        guard way == .hurried else { return nil }
        if due.load(ordering: .relaxed) == 0 {
            due.store(now + 10_000_000_000, ordering: .relaxed)
        }
        return due.load(ordering: .relaxed)
    }

    static func answer(_ body: [UInt8]) -> Response {
        var response = Response()
        response.contentType = .text
        response.body = body
        return response
    }

    private static func capitals(_ text: [UInt8], _ event: StreamEvent) -> [UInt8] {
        let capitals = text.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }
        switch event {
        case .piece: return capitals
        case .last: return capitals + Array(".".utf8)
        case .failed(let status, _): return capitals + Array("!\(status)".utf8)
        }
    }
}

/// Opens a ``CapitalStream`` for `/stream/{way}`; for another way the body comes whole.
final class StreamHandler: RequestHandler {
    static let route = Route(.post, "/stream/{way}", id: 20, bodyBytesMax: 32, streamsBody: true)

    let worker = DispatchQueue(label: "test.stream")
    let held = Lock<[(DeferredResponse, [UInt8])]>([])
    let pieceBytesMax = Atomic(0)

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {}

    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)? {
        let name = request.pathParameter.map { bytes[$0] }
        let way = CapitalStream.Way(rawValue: String(decoding: name, as: UTF8.self))
        return way.map { CapitalStream($0, self) }
    }

    /// Lets the answers go that were held.
    func release() {
        let all = held.withLock { held in
            defer { held = [] }
            return held
        }
        for (handle, body) in all { handle.complete(CapitalStream.answer(body)) }
    }
}

/// The content of chunks, or nil where they are none or not whole.
func unchunked(_ bytes: ArraySlice<UInt8>) -> (content: [UInt8], rest: ArraySlice<UInt8>)? {
    var content: [UInt8] = []
    var rest = bytes
    while let lineEnd = rest.firstRange(of: Array("\r\n".utf8)) {
        let line = String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self)
        rest = rest[lineEnd.upperBound...]
        guard let count = Int(line, radix: 16), rest.count >= count + 2 else { return nil }
        content += rest.prefix(count)
        rest = rest.dropFirst(count)
        guard rest.starts(with: Array("\r\n".utf8)) else { return nil }
        rest = rest.dropFirst(2)
        if count == 0 { return (content, rest) }
    }
    return nil
}

/// An answer of HTTP/1.1 as it came, its chunks joined.
struct ParsedAnswer: Equatable, CustomStringConvertible {
    var status: Int
    var isChunked: Bool
    var body: String
    /// Whether it says that the connection ends.
    var closes: Bool

    var description: String {
        "\(status) \(isChunked ? "chunked" : "whole") \(body)\(closes ? " close" : "")"
    }

    /// The answers that stand one behind the other; one that is not whole ends with `…`.
    static func all(_ output: [UInt8]) -> [ParsedAnswer] {
        var answers: [ParsedAnswer] = []
        var rest = output[...]
        while let headEnd = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = String(decoding: rest[..<headEnd.lowerBound], as: UTF8.self)
            rest = rest[headEnd.upperBound...]
            let status = Int(head.split(separator: " ")[1]) ?? 0
            var answer = ParsedAnswer(
                status: status,
                isChunked: head.contains("\r\ntransfer-encoding: chunked"),
                body: "",
                closes: head.contains("\r\nconnection: close")
            )
            if status == 100 { continue }
            if answer.isChunked, let (content, after) = unchunked(rest) {
                answer.body = String(decoding: content, as: UTF8.self)
                rest = after
            } else if let length = head.firstRange(of: "content-length: ") {
                let count = Int(head[length.upperBound...].prefix { $0.isNumber }) ?? 0
                answer.body = String(decoding: rest.prefix(count), as: UTF8.self)
                rest = rest.dropFirst(count)
            } else {
                answer.body = String(decoding: rest, as: UTF8.self) + (answer.isChunked ? "…" : "")
                rest = []
            }
            answers.append(answer)
        }
        return answers
    }
}
