// SPDX-License-Identifier: MIT

/// What the route table says about one request, in whatever version of HTTP it came.
struct Routing {
    var resolution = RouteTable.Resolution.notFound
    var bodyBytesMax = 0
    /// Whether it is a HEAD request, so that the answer goes without its body.
    var isHead = false
    /// Whether it may be refused under overload.
    var isSheddable = false
    /// Whether it must announce a body.
    var requiresBody = false
    /// Whether the handler is asked who takes the body.
    var streamsBody = false
    /// Whether it waits for all others.
    var isCostly = false
    /// Whether the handler may read it ahead with others.
    var joinsOthers = false

    /// Makes one for a request whose head has not been read.
    init() {}

    /// Looks the request up and notes in it what was found.
    init(
        _ request: inout Request,
        in bytes: Span<UInt8>,
        failsPrecondition: Bool,
        _ context: HTTP1Connection.Context
    ) {
        resolution = context.routes.resolve(
            request.method,
            path: request.path,
            in: bytes,
            listener: request.listener
        )
        bodyBytesMax = context.limits.bodyBytesMax
        isHead = request.method == .head
        guard case .route(let index, let parameter) = resolution else { return }
        // RFC 9110 §13.1: what is here has no tag, so nothing is changed on the condition of one,
        // or on that of being the first.
        request.failsPrecondition =
            failsPrecondition && ![.get, .head].contains(request.method)
        // Looked at in its place: a copy of a route costs references.
        request.routeID = context.routes.routes[index].id
        request.method = context.routes.routes[index].method
        request.pathParameter = parameter
        bodyBytesMax = context.routes.routes[index].bodyBytesMax ?? bodyBytesMax
        requiresBody = context.routes.routes[index].requiresBody
        streamsBody = context.routes.routes[index].streamsBody
        isCostly = context.routes.routes[index].isCostly
        joinsOthers = context.routes.routes[index].joinsOthers
        isSheddable = context.routes.routes[index].isSheddable && request.listener == .main
    }

    /// The route, by its index in the table; nil for none.
    var routeIndex: Int? {
        if case .route(let index, _) = resolution { return index }
        return nil
    }

    /// Whether a handler takes the request.
    var hasRoute: Bool {
        if case .route = resolution { return true }
        return false
    }

    /// Asks the handler who takes the body of a request whose head is complete, if its route has it
    /// so; then no limit holds for the body as a whole.
    ///
    /// `owner` is the connection, where that may have several such requests.
    ///
    /// - Throws: `tooManyDecoders` where it is encoded and too many others are that are being read,
    ///   and none of them gives way.
    mutating func openStream(
        for request: inout Request,
        in bytes: Span<UInt8>,
        isEncoded: Bool,
        owner: ObjectIdentifier?,
        _ context: HTTP1Connection.Context
    ) throws(RequestError) -> StreamedBody? {
        guard streamsBody else { return nil }
        request.receivedNanoseconds = context.nowNanoseconds
        guard let stream = context.handler?.openStream(for: request, bytes: bytes) else {
            return nil
        }
        let places = isEncoded ? context.coder.streamPlaces : nil
        let now = context.nowNanoseconds
        let countMax = context.limits.decodedStreamCountMax
        guard places?.makeRoom(for: owner, countMax: countMax, at: now) ?? true else {
            throw .tooManyDecoders
        }
        bodyBytesMax = StreamedBody.byteCountMax
        return StreamedBody(
            stream,
            places: places,
            owner: owner,
            at: now,
            deadline: now + context.timeouts.stream
        )
    }

    /// The server's own answer to a request that no route takes.
    func answer(
        to request: borrowing Request,
        in bytes: Span<UInt8>,
        _ context: HTTP1Connection.Context
    ) -> Response {
        var response = Response()
        var allow: [UInt8] = []
        switch resolution {
        case .options(let index):
            allow = context.routes.allow(index, on: request.listener)
            response.status = 204
        case .methodNotAllowed(let index):
            allow = context.routes.allow(index, on: request.listener)
            Problem.methodNotAllowed.render(
                into: &response,
                for: request,
                in: bytes,
                &context.requestIDs
            )
        case .notFound, .route:
            let isAsterisk =
                request.path.isEmpty
                || request.path.count == 1 && bytes[request.path.lowerBound] == UInt8(ascii: "*")
            if request.method == .options, isAsterisk {
                allow = context.routes.allowOfServer(on: request.listener)
                response.status = 204
            } else {
                Problem.notFound.render(
                    into: &response,
                    for: request,
                    in: bytes,
                    &context.requestIDs
                )
            }
        }
        if response.status == 204 {
            let identity = RequestIdentity(request, bytes, maker: &context.requestIDs)
            identity.addFields(bytes, context.requestIDs, to: &response)
        }
        if !allow.isEmpty { response.addField("allow", 0..<allow.count, of: allow.span) }
        return response
    }
}
