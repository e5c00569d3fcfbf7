// SPDX-License-Identifier: MIT

import Glibc
@testable import HTTPServer
import Platform
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/// Lets the process have so many descriptors; the hard limit stays, so that it can be raised again.
private func limitDescriptors(_ count: Int32) throws {
    var limit = rlimit()
    // SAFETY: the limit is valid for both calls.
    try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    limit.rlim_cur = rlim_t(count)
    // SAFETY: as above.
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
}

struct FaultTests {
    /// The thread sanitizer needs descriptors of its own to match what it is told to pass over.
    @Test(.enabled(if: ProcessEnvironment.variables["TSAN_OPTIONS"] == nil))
    func pausesAcceptingWithoutDescriptorsAndGoesOnAfterwards() async {
        await #expect(processExitsWith: .success) {
            let server = try TestServer(loops: 1)
            let first = try #require(TestClient(port: server.port))
            first.send(get)
            #expect(first.receive(until: "now;").hasSuffix("now;"))
            // The client takes the last descriptor that there is, and the server gets none. What
            // else the process opens for a moment may shift that, so the limit follows it.
            let next = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            close(next)
            var count = next + 1
            try limitDescriptors(count)
            var others: [TestClient] = []
            while server.server.counters.acceptPauses == 0, count < next + 64 {
                guard let other = TestClient(port: server.port) else {
                    count += 1
                    try limitDescriptors(count)
                    continue
                }
                other.send(get)
                others.append(other)
                let expected = others.count + 1
                #expect(server.wait { $0.acceptPauses > 0 || $0.connectionsAccepted >= expected })
            }
            #expect(server.server.counters.acceptPauses > 0)
            // Those who are there are served meanwhile.
            first.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(statuses(of: first.receiveAll()) == [200])
            for other in others { #expect(statuses(of: other.receive(until: "now;")) == [200]) }
        }
    }

    @Test func survivesClientsThatReset() throws {
        let server = try TestServer()
        for index in 0..<60 {
            let client = try #require(TestClient(port: server.port))
            switch index % 3 {
            case 0: client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            case 1: client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na")
            default: client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            client.reset()
        }
        let client = try #require(TestClient(port: server.port))
        client.send(get)
        #expect(statuses(of: client.receive(until: "now;")) == [200])
        #expect(server.wait { $0.connectionsOpen == 1 && $0.requestsDeferred == 0 })
    }

    @Test func takesMoreConnectionsThanOneTurnAccepts() throws {
        let server = try TestServer(loops: 1)
        let clients = (0..<200).compactMap { _ in TestClient(port: server.port) }
        #expect(clients.count == 200)
        for client in clients { client.send(get) }
        for client in clients { #expect(statuses(of: client.receive(until: "now;")) == [200]) }
    }
}
