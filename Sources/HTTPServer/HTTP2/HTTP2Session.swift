// SPDX-License-Identifier: MIT

internal import CNghttp2

/// An nghttp2 server session, owned: frames and HPACK, without a socket.
///
/// Its callbacks go to the ``HTTP2Connection`` that owns it, during ``receive(_:)`` and
/// ``write(to:limit:)`` only.
@safe struct HTTP2Session: ~Copyable {
    private let session: OpaquePointer

    /// Makes a session, or nil where there is no memory for it.
    init?() {
        var callbacks: OpaquePointer?
        // SAFETY: the callbacks are copied into the session and freed here, once.
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        unsafe HTTP2Callbacks.register(in: callbacks)
        var options: OpaquePointer?
        unsafe nghttp2_option_new(&options)
        // nghttp2 counts a frame again for every piece it comes in; the connection counts frames.
        unsafe nghttp2_option_set_max_continuations(options, .max)
        // The connection bounds resets, by what it has answered.
        // SAFETY: the options are alive; the numbers are copied.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 1 << 32, 1 << 32)
        // Windows open again by ``consume(_:of:)``: of a streamed body when it has been taken.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // Frames of types that RFC 9113 does not name are shown to the connection, which counts
        // them, before they are thrown away.
        for type in HTTP2Frame.extensionTypes {
            // SAFETY: the options are alive; the number is copied.
            unsafe nghttp2_option_set_user_recv_extension_type(options, type)
        }
        var made: OpaquePointer?
        // SAFETY: the options are read during the call and freed here, once.
        unsafe nghttp2_session_server_new2(&made, callbacks, nil, options)
        unsafe nghttp2_option_del(options)
        unsafe nghttp2_session_callbacks_del(callbacks)
        guard let made = unsafe made else { return nil }
        unsafe session = made
    }

    deinit {
        // SAFETY: made by `init`, freed once.
        unsafe nghttp2_session_del(session)
    }

    /// Names the connection that the callbacks go to; it must own this session.
    func setOwner(_ owner: HTTP2Connection) {
        // SAFETY: the owner outlives the session, which is a part of it.
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(owner).toOpaque())
    }

    /// Queues our SETTINGS and opens the connection's window.
    func submitSettings(_ limits: borrowing ServerLimits) {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        let window = Int32(clamping: limits.http2WindowBytes)
        let streamWindow = Int32(clamping: HTTP2Stream.windowBytes(limits))
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.http2StreamCountMax),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Int(streamWindow)),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytesMax),
        ]
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        // SAFETY: the entries are copied during the call, and their count is given.
        unsafe entries.withUnsafeBufferPointer {
            _ = unsafe nghttp2_submit_settings(session, none, $0.baseAddress, $0.count)
        }
        // SAFETY: the session is alive.
        unsafe nghttp2_session_set_local_window_size(session, none, 0, window)
    }

    /// Reads what has come.
    ///
    /// - Returns: 0, or nghttp2's error, after which the session is dead.
    func receive(_ bytes: Span<UInt8>) -> Int {
        // SAFETY: the span's bytes live for the call and its count is given.
        unsafe bytes.withUnsafeBufferPointer {
            min(unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count), 0)
        }
    }

    /// Appends frames until the output holds `limit` bytes or none is left.
    ///
    /// - Returns: Whether all is well.
    func write(to output: inout [UInt8], limit: Int) -> Bool {
        while output.count < limit {
            var frame: UnsafePointer<UInt8>?
            // SAFETY: the frame is valid until the next call on the session.
            let count = unsafe nghttp2_session_mem_send(session, &frame)
            guard count > 0 else { return count == 0 }
            unsafe output.append(contentsOf: UnsafeBufferPointer(start: frame, count: count))
        }
        return true
    }

    /// Whether frames are ready that no window holds back.
    // SAFETY: the session is alive, here and in the one-line calls below.
    var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }

    /// Whether anything that the peer sends could still matter.
    var wantsRead: Bool { unsafe nghttp2_session_want_read(session) != 0 }

    /// The last stream that was taken in.
    // SAFETY: the session is alive.
    var lastStreamID: Int32 { unsafe nghttp2_session_get_last_proc_stream_id(session) }

    /// Whether the peer has ended its side of a stream.
    func isRemoteClosed(_ id: Int32) -> Bool {
        // SAFETY: the session is alive.
        unsafe nghttp2_session_get_stream_remote_close(session, id) != 0
    }

    /// Notes the slot of a stream.
    func setSlot(_ slot: Int, of id: Int32) {
        // SAFETY: the pointer carries a number and is never followed.
        let number = unsafe UnsafeMutableRawPointer(bitPattern: slot + 1)
        unsafe nghttp2_session_set_stream_user_data(session, id, number)
    }

    /// The slot of a stream, or nil where there is no such stream.
    func slot(of id: Int32) -> Int? {
        // SAFETY: the pointer carries a number and is never followed.
        let number = unsafe nghttp2_session_get_stream_user_data(session, id)
        return unsafe number.map { Int(bitPattern: $0) - 1 }
    }

    /// What the peer takes of a stream's answer, if its connection's window is open.
    func window(of id: Int32) -> Int32 {
        // SAFETY: the session is alive; -1 says that there is no such stream.
        unsafe nghttp2_session_get_stream_remote_window_size(session, id)
    }

    /// Opens the windows of the connection and of a stream again by so many bytes.
    func consume(_ count: Int, of id: Int32) {
        // SAFETY: the session is alive.
        unsafe nghttp2_session_consume(session, id, count)
    }

    /// Opens the window of the connection alone.
    func consumeOfConnection(_ count: Int) {
        // SAFETY: the session is alive.
        unsafe nghttp2_session_consume_connection(session, count)
    }

    /// Opens the window of a stream alone.
    func consume(_ count: Int, ofStream id: Int32) {
        // SAFETY: the session is alive.
        unsafe nghttp2_session_consume_stream(session, id, count)
    }

    /// Goes on with an answer whose bytes had run out.
    func resume(_ id: Int32) {
        // SAFETY: the session is alive.
        unsafe nghttp2_session_resume_data(session, id)
    }

    /// Queues a RST_STREAM.
    func submitReset(_ id: Int32, _ code: HTTP2ErrorCode) {
        // SAFETY: the session is alive.
        unsafe nghttp2_submit_rst_stream(session, 0, id, code.rawValue)
    }

    /// Queues the notice of RFC 9113 §6.8 that no more streams are wanted, and a PING whose answer
    /// tells that the peer has read it.
    func submitShutdownNotice() {
        // SAFETY: the session is alive; a missing payload is eight zero bytes.
        unsafe nghttp2_submit_shutdown_notice(session)
        unsafe nghttp2_submit_ping(session, 0, nil)
    }

    /// Queues the GOAWAY that ends the connection once its streams have ended.
    func submitGoAway() {
        // SAFETY: the session is alive; there is no debug data.
        unsafe nghttp2_submit_goaway(session, 0, lastStreamID, 0, nil, 0)
    }

    /// Queues an interim answer.
    func submitInterim(_ id: Int32, _ head: HTTP2Head) {
        unsafe head.withPairs { pairs in
            // SAFETY: the pairs are copied during the call, and their count is given.
            _ = unsafe nghttp2_submit_headers(
                session,
                0,
                id,
                nil,
                pairs.baseAddress,
                pairs.count,
                nil
            )
        }
    }

    /// Queues an answer, whose body is read from the slot unless `hasBody` is false.
    ///
    /// - Returns: Whether the stream was there to take it.
    func submitAnswer(_ id: Int32, _ head: HTTP2Head, slot: Int, hasBody: Bool) -> Bool {
        // SAFETY: the source carries a number; the callback is a function without context.
        unsafe head.withPairs { pairs in
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.fd = Int32(slot)
            unsafe provider.read_callback = HTTP2Callbacks.readBody
            // SAFETY: pairs and provider are copied during the call.
            return unsafe withUnsafePointer(to: &provider) { provider in
                unsafe nghttp2_submit_response(
                    session,
                    id,
                    pairs.baseAddress,
                    pairs.count,
                    hasBody ? provider : nil
                ) == 0
            }
        }
    }
}

/// The error codes of RFC 9113 §7 that we send of our own.
enum HTTP2ErrorCode: UInt32 {
    case none = 0
    case protocolError = 1
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
}

extension [UInt8] {
    /// Appends a GOAWAY frame (RFC 9113 §6.8), for a session that can no longer make one.
    mutating func append(goAway code: HTTP2ErrorCode, lastStreamID: Int32) {
        append(contentsOf: [0, 0, 8, 7, 0, 0, 0, 0, 0])
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: lastStreamID >> shift)) }
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: code.rawValue >> shift)) }
    }
}
