// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct QueryTests {
    @Test(arguments: [
        ("", nil), ("?", nil), ("?a", ""), ("?a=", ""), ("?a=b", "b"), ("?x=y&a=b", "b"),
        ("?a=b&", "b"), ("?&a=b", "b"), ("?aa=b", nil), ("?A=b", nil), ("?a=b=c", "b=c"),
        ("?a=%62", "b"), ("?%61=b", "b"), ("?a=%C3%A9", "\u{e9}"), ("?a=%26b", "&b"),
        ("?a%3Db=c", nil), ("?a=%62%", nil), ("?a=b+c", "b+c"), ("?a=%ff", "\u{fffd}"),
        ("?a=b&a=c", "b,c"), ("?a=b&%61=b", "b,b"), ("?a&a", ","),
    ])
    func findsAParameter(_ query: String, _ expected: String?) throws {
        var parser = RequestParser()
        var request = Request()
        let bytes = Array("GET /\(query) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let isRead =
            (try? parser.parseHead(bytes.span, into: &request, limits: ServerLimits())) == true
        #expect(isRead == !query.hasSuffix("%"))
        guard isRead else { return }
        #expect(request.queryValue(of: "a", in: bytes.span) == expected)
    }
}
