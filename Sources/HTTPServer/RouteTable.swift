// SPDX-License-Identifier: MIT

/// A method and path that a handler answers.
package struct Route: Sendable {
    /// The method; a GET route answers HEAD too.
    package let method: RequestMethod
    /// The exact path, with at most one segment `{name}` that matches any one segment.
    package let path: String
    /// What the handler sees in ``Request/routeID``.
    package let id: Int
    /// The listeners on which the route exists.
    package let listeners: Set<Listener>
    /// The most bytes of body, or nil for the limit of ``ServerLimits``.
    package let bodyBytesMax: Int?
    /// Whether a request of HTTP/1 that announces no body at all is refused with 411; HTTP/2 tells
    /// that it is empty.
    package let requiresBody: Bool

    /// Whether it may be answered 503 under overload; probes may not.
    package let isSheddable: Bool
    /// Whether ``RequestHandler/openStream(for:bytes:)`` is asked who takes the body.
    package let streamsBody: Bool
    /// Whether requests of HTTP/1 wait until all others of the turn are answered, and then for each
    /// other; those of HTTP/2 have the time of their connection.
    package let isCostly: Bool
    /// Whether requests that come together are shown to ``RequestHandler/join(_:bytes:isFirst:)``.
    package let joinsOthers: Bool

    /// Makes a route.
    package init(
        _ method: RequestMethod,
        _ path: String,
        id: Int,
        listeners: Set<Listener> = [.main, .admin],
        bodyBytesMax: Int? = nil,
        requiresBody: Bool = false,
        isSheddable: Bool = true,
        streamsBody: Bool = false,
        isCostly: Bool = false,
        joinsOthers: Bool = false
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.listeners = listeners
        self.bodyBytesMax = bodyBytesMax
        self.requiresBody = requiresBody
        self.isSheddable = isSheddable
        self.streamsBody = streamsBody
        self.isCostly = isCostly
        self.joinsOthers = joinsOthers
    }
}

/// The routes of a server, compiled for lookup by bytes.
package struct RouteTable: Sendable {
    /// What a method and path lead to.
    enum Resolution: Equatable {
        /// A route, by its index, and the segment that its parameter matched.
        case route(index: Int, parameter: Range<Int>)
        /// OPTIONS on a path that exists; the index of its ``RouteTable/allow(_:)``.
        case options(pathIndex: Int)
        case methodNotAllowed(pathIndex: Int)
        case notFound
    }

    private struct Path {
        let prefix: [UInt8]
        /// What follows the parameter, or nil for an exact path.
        let suffix: [UInt8]?
        /// Index of the route, by listener and method; -1 for none.
        var routeIndices: [[Int]]
        var allow: [[UInt8]]
    }

    let routes: [Route]
    private let paths: [Path]

    /// Compiles a table.
    ///
    /// - Note: Two routes of equal method and path on one listener are a mistake and stop the
    ///   program.
    package init(_ routes: [Route]) {
        self.routes = routes
        var paths: [Path] = []
        var order: [String] = []
        for (index, route) in routes.enumerated() {
            precondition(route.path.utf8.first == UInt8(ascii: "/"), "a path starts with a slash")
            if !order.contains(route.path) {
                order.append(route.path)
                paths.append(RouteTable.compile(route.path))
            }
            guard let position = order.firstIndex(of: route.path) else { continue }
            for listener in route.listeners {
                let slot = Int(listener.rawValue)
                let method = Int(route.method.rawValue)
                precondition(
                    paths[position].routeIndices[slot][method] == -1,
                    "two routes of one method and path"
                )
                paths[position].routeIndices[slot][method] = index
            }
        }
        for position in paths.indices { RouteTable.completeMethods(&paths[position]) }
        // Exact paths go before those with a parameter.
        self.paths = paths.filter { $0.suffix == nil } + paths.filter { $0.suffix != nil }
    }

    /// Looks a request up.
    ///
    /// - Complexity: O(number of paths); most are told apart by their length.
    func resolve(
        _ method: RequestMethod,
        path: Range<Int>,
        in bytes: Span<UInt8>,
        listener: Listener
    ) -> Resolution {
        let slot = Int(listener.rawValue)
        for index in paths.indices {
            guard let parameter = match(index, path, in: bytes) else { continue }
            guard !paths[index].allow[slot].isEmpty else { continue }
            let route = paths[index].routeIndices[slot][Int(method.rawValue)]
            if route >= 0 { return .route(index: route, parameter: parameter) }
            return method == .options
                ? .options(pathIndex: index) : .methodNotAllowed(pathIndex: index)
        }
        return .notFound
    }

    /// The value of the `Allow` field of a path.
    func allow(_ pathIndex: Int, on listener: Listener) -> [UInt8] {
        paths[pathIndex].allow[Int(listener.rawValue)]
    }

    /// The value of the `Allow` field of the server as a whole.
    func allowOfServer(on listener: Listener) -> [UInt8] {
        let routes = routes.filter { $0.listeners.contains(listener) }
        let methods = Set(routes.map(\.method)).union([.head, .options])
        return RouteTable.names(RequestMethod.allCases.filter(methods.contains))
    }

    private static func names(_ methods: [RequestMethod]) -> [UInt8] {
        Array(methods.map(\.name).joined(separator: ", ").utf8)
    }

    private func match(_ index: Int, _ path: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
        let prefix = paths[index].prefix
        // However it is encoded, it is no shorter.
        guard path.count >= prefix.count else { return nil }
        guard let start = RouteTable.end(of: prefix, in: path, bytes) else { return nil }
        guard let suffix = paths[index].suffix else {
            return start == path.upperBound ? 0..<0 : nil
        }
        var end = start
        while end < path.upperBound, bytes[end] != UInt8(ascii: "/") { end += 1 }
        guard start < end,
            RouteTable.end(of: suffix, in: end..<path.upperBound, bytes) == path.upperBound
        else { return nil }
        return start..<end
    }

    /// Where a path goes on after what it begins with, or nil where it begins otherwise.
    ///
    /// RFC 9110 §4.2.3: what need not be percent-encoded means the same where it is.
    @inline(__always)
    private static func end(
        of text: [UInt8],
        in path: Range<Int>,
        _ bytes: Span<UInt8>
    ) -> Int? {
        var index = path.lowerBound
        for byte in text {
            guard index < path.upperBound else { return nil }
            if bytes[index] == byte {
                index += 1
            } else if bytes[index] == UInt8(ascii: "%"), byte != UInt8(ascii: "/"),
                let high = hexValue(bytes[index + 1]), let low = hexValue(bytes[index + 2]),
                high << 4 | low == byte
            {
                index += 3
            } else {
                return nil
            }
        }
        return index
    }

    private static func compile(_ path: String) -> Path {
        let bytes = Array(path.utf8)
        let none = [Int](repeating: -1, count: RequestMethod.allCases.count)
        let byListener = [[Int]](repeating: none, count: Listener.allCases.count)
        let noAllow = [[UInt8]](repeating: [], count: Listener.allCases.count)
        guard let open = bytes.firstIndex(of: UInt8(ascii: "{")) else {
            return Path(prefix: bytes, suffix: nil, routeIndices: byListener, allow: noAllow)
        }
        let close = bytes.firstIndex(of: UInt8(ascii: "}"))
        guard let close, open < close, bytes[open - 1] == UInt8(ascii: "/") else {
            preconditionFailure("a parameter is a whole segment")
        }
        return Path(
            prefix: Array(bytes[..<open]),
            suffix: Array(bytes[(close + 1)...]),
            routeIndices: byListener,
            allow: noAllow
        )
    }

    /// Lets GET answer HEAD and writes the `Allow` values.
    private static func completeMethods(_ path: inout Path) {
        for slot in path.routeIndices.indices {
            let get = path.routeIndices[slot][Int(RequestMethod.get.rawValue)]
            let head = Int(RequestMethod.head.rawValue)
            if get >= 0, path.routeIndices[slot][head] < 0 { path.routeIndices[slot][head] = get }
            var names = RequestMethod.allCases.filter {
                path.routeIndices[slot][Int($0.rawValue)] >= 0
            }
            guard !names.isEmpty else { continue }
            if !names.contains(.options) { names.append(.options) }
            path.allow[slot] = RouteTable.names(names)
        }
    }
}
