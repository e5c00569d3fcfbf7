// SPDX-License-Identifier: MIT

internal import CNghttp2

/// What nghttp2 calls during a read or a write, handed on to the connection in safe terms.
// SAFETY: nghttp2 calls these with a live session, a live frame, and bytes that are valid for the
// call with their count; the user data is the connection that made the session and owns it.
@safe enum HTTP2Callbacks {
    /// Sets them all.
    static func register(in callbacks: OpaquePointer?) {
        // SAFETY: functions without context, alive for good.
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, head, user in
            guard let head = unsafe head?.pointee else { return failure }
            return unsafe result(connection(user).beginFrame(HTTP2Frame(head)))
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            _,
            frame,
            user in
            // SAFETY: as said above.
            guard let frame = unsafe frame?.pointee else { return failure }
            let isRequest = unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST
            unsafe connection(user).beginHead(frame.hd.stream_id, isRequest: isRequest)
            return 0
        }
        // SAFETY: as above.
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _,
            _,
            name,
            nameCount,
            value,
            valueCount,
            _,
            user in
            // SAFETY: as said above, for both.
            let name = unsafe Span(
                _unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)
            )
            let value = unsafe Span(
                _unsafeElements: UnsafeBufferPointer(start: value, count: valueCount)
            )
            return unsafe result(connection(user).addField(name, value))
        }
        // SAFETY: as above.
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            _,
            frame,
            _,
            _,
            _,
            _,
            _,
            user in
            // SAFETY: as said above.
            guard let frame = unsafe frame?.pointee else { return failure }
            unsafe connection(user).refuseField(frame.hd.stream_id)
            return refusal
        }
        unsafe registerRest(in: callbacks)
    }

    private static func registerRest(in callbacks: OpaquePointer?) {
        // SAFETY: functions without context, alive for good.
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let head = unsafe frame?.pointee.hd else { return failure }
            return unsafe result(connection(user).didReceive(HTTP2Frame(head)))
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _,
            _,
            id,
            data,
            count,
            user in
            // SAFETY: as said above.
            let data = unsafe Span(
                _unsafeElements: UnsafeBufferPointer(start: data, count: count)
            )
            unsafe connection(user).addBody(data, of: id)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            _,
            id,
            _,
            user in
            // SAFETY: as said above.
            unsafe connection(user).closeStream(id)
            return 0
        }
        // RFC 9113 §5.5: a frame of an unknown type is thrown away.
        unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, _ in
            Int32(NGHTTP2_ERR_CANCEL.rawValue)
        }
        // SAFETY: as above.
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            // SAFETY: as said above.
            guard let frame = unsafe frame?.pointee else { return failure }
            let head = unsafe HTTP2Frame(frame.hd)
            switch head.type {
            case .goAway: unsafe connection(user).didSendGoAway(frame.goaway.error_code)
            case .reset: unsafe connection(user).didSendReset(frame.rst_stream.error_code)
            default: unsafe connection(user).didSend(head)
            }
            return 0
        }
    }

    /// Reads a part of an answer's body into a DATA frame.
    static let readBody: nghttp2_data_source_read_callback = {
        _,
        id,
        buffer,
        room,
        flags,
        source,
        user in
        // SAFETY: the source is the number that was set with the answer.
        guard let slot = unsafe source?.pointee.fd else { return Int(failure) }
        // SAFETY: the buffer has that room.
        let target = unsafe UnsafeMutableBufferPointer(start: buffer, count: room)
        let (count, isLast) = unsafe connection(user).readBody(slot: Int(slot), into: target)
        // Nothing yet, and more to come: the connection says when.
        if count == 0, !isLast { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        if isLast { unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }
}

private let failure = Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
private let refusal = Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)

private func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection {
    // SAFETY: the user data is the connection that made the session and owns it.
    guard let user = unsafe user else { preconditionFailure("a session without owner") }
    return unsafe Unmanaged<HTTP2Connection>.fromOpaque(user).takeUnretainedValue()
}

private func result(_ isWell: Bool) -> Int32 {
    isWell ? 0 : failure
}

/// The head of a frame, as far as it matters here.
struct HTTP2Frame {
    enum Kind {
        case data, headers, continuation, reset, settings, ping, goAway, windowUpdate, other
    }

    /// Types that RFC 9113 §6 does not name.
    static let extensionTypes: ClosedRange<UInt8> = 10...255

    let type: Kind
    let streamID: Int32
    let byteCount: Int
    private let flags: UInt8

    init(_ head: nghttp2_frame_hd) {
        streamID = head.stream_id
        byteCount = head.length
        flags = head.flags
        type =
            switch head.type {
            case 0: .data
            case 1: .headers
            case 3: .reset
            case 4: .settings
            case 6: .ping
            case 7: .goAway
            case 8: .windowUpdate
            case 9: .continuation
            default: .other
            }
    }

    var endsStream: Bool { (type == .data || type == .headers) && flags & 1 != 0 }
    var isPadded: Bool { flags & 8 != 0 }
    var isAcknowledgement: Bool { (type == .settings || type == .ping) && flags & 1 != 0 }
}
