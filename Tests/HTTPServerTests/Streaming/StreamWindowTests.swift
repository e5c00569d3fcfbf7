// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// What a client of HTTP/2 may send before some of it is taken.
struct StreamWindowTests {
    /// A client that keeps to the windows.
    private struct Client {
        var machine: HTTP2Machine
        private var sentByteCounts: [UInt32: Int] = [:]

        init(_ machine: HTTP2Machine) {
            self.machine = machine
            // From here on the windows are those that the server wants.
            self.machine.feed(Frames.settings(flags: Frames.Flag.acknowledgement))
        }

        /// Sends as much of a body as the windows allow, in frames of the usual size.
        ///
        /// - Returns: How much that was.
        mutating func fill(_ stream: UInt32, upTo byteCount: Int = .max) -> Int {
            let window = Int(machine.reader.settings[4] ?? 0)
            let allowed = window + machine.reader.windows[stream, default: 0]
            let sent = sentByteCounts[stream, default: 0]
            let count = min(allowed, byteCount) - sent
            var frames: [UInt8] = []
            for start in stride(from: 0, to: count, by: 16_384) {
                let piece = [UInt8](repeating: 0x61, count: min(16_384, count - start))
                frames += Frames.frame(0, stream: stream, piece)
            }
            machine.feed(frames)
            sentByteCounts[stream] = sent + count
            return count
        }
    }

    @Test func isTheShareOfAStream() {
        var limits = ServerLimits()
        // 100 times two of it, 4 KiB for a stream and 4 KiB for its head are 32 MiB.
        #expect(HTTP2Stream.windowBytes(limits) == 163_676)
        limits.http2WindowBytes = 100_000
        #expect(HTTP2Stream.windowBytes(limits) == 100_000)
        limits = ServerLimits()
        limits.http2StreamCountMax = 15
        #expect(HTTP2Stream.windowBytes(limits) == limits.http2WindowBytes)
        // That of the start is the least.
        limits.http2StreamCountMax = 10_000
        #expect(HTTP2Stream.windowBytes(limits) == 65_535)
    }

    /// All streams that may be open send all that they may, while their pieces are worked on.
    @Test func noStreamIsResetThatKeepsToItsWindow() throws {
        let limits = ServerLimits()
        var client = Client(try HTTP2Machine(limits: limits, handler: StreamHandler()))
        client.machine.defers = true
        let streams = (0..<limits.http2StreamCountMax).map { UInt32(2 * $0 + 1) }
        let fields = (0..<10).map { ("x-field-\($0)", String(repeating: "v", count: 100)) }
        let head = Frames.request("POST", "/stream/held", fields)
        for stream in streams {
            client.machine.feed(Frames.headers(stream, head, flags: Frames.Flag.endHeaders))
        }
        var sentByteCount = 0
        for _ in 0..<6 {
            for stream in streams {
                sentByteCount += client.fill(stream)
                try #require(client.machine.reader.resets == [:] && !client.machine.isOver)
            }
            // The answer to a piece makes room for as much.
            for stream in streams {
                client.machine.http2.giveDeferred(Response(), to: UInt64(stream))
                client.machine.run()
            }
        }
        let window = HTTP2Stream.windowBytes(limits)
        #expect(sentByteCount > 2 * window * streams.count)
        #expect(client.machine.http2.openCount == streams.count)
        let bodyByteCounts = client.machine.http2.slots.map(\.bodyByteCount)
        #expect(bodyByteCounts.allSatisfy { $0 <= 2 * window })
        #expect(client.machine.http2.requestByteCount <= limits.http2RequestBytesMax)
    }

    /// A body that is taken whole opens the window of its stream as it comes.
    @Test func aWholeBodyMayBeLargerThanTheWindow() throws {
        let count = 1 << 20
        try #require(count > HTTP2Stream.windowBytes(ServerLimits()))
        var client = Client(try HTTP2Machine())
        let head = Frames.request("POST", "/optional")
        client.machine.feed(Frames.headers(1, head, flags: Frames.Flag.endHeaders))
        var sentByteCount = 0
        while sentByteCount < count {
            let sent = client.fill(1, upTo: count)
            try #require(sent > 0)
            sentByteCount += sent
        }
        client.machine.feed(Frames.data(1, ""))
        #expect(client.machine.reader.statuses == [1: 200])
        #expect(client.machine.requests.first?.utf8.count == "4 /optional []".utf8.count + count)
    }
}
