// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Platform
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let lastGet = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

struct TLSTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates.shared() }

    private func server(loops: Int = 2, asksClients: Bool = false) throws -> TestServer {
        try TestServer(
            loops: loops,
            tls: certificates.configuration(asksClients: asksClients)
        )
    }

    /// Runs `openssl s_client`, which asks once for `/` and reads until the server closes.
    private func connect(_ server: TestServer, _ options: String...) throws -> String {
        let arguments =
            [
                "s_client", "-connect", "127.0.0.1:\(server.tlsPort)", "-ign_eof", "-CAfile",
                certificates.file("ca.pem"),
            ] + options
        return try Tool.run("openssl", arguments, input: lastGet).output
    }

    @Test(arguments: [
        (["--tlsv1.2", "--tls-max", "1.2"], true), (["--tlsv1.3"], true),
        (["--tls-max", "1.1"], false), (["--tls-max", "1.0"], false),
    ])
    func speaksTheVersionsThatAreSafe(_ options: [String], _ isTaken: Bool) throws {
        let server = try server()
        let url = "https://localhost:\(server.tlsPort)/"
        let outcome = try Tool.run(
            "curl",
            ["-sS", "--cacert", certificates.file("ca.pem"), url] + options
        )
        #expect((outcome.status == 0) == isTaken, "\(outcome.output)")
        #expect(outcome.output.contains("now;") == isTaken)
        #expect(
            server.wait { ($0.tlsHandshakes, $0.tlsFailures) == (isTaken ? 1 : 0, isTaken ? 0 : 1) }
        )
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func resumesSessions(version: String) throws {
        let server = try server()
        let file = certificates.file("session\(server.tlsPort)")
        let first = try connect(server, version, "-sess_out", file)
        #expect(first.contains("\nNew, TLSv1"))
        let second = try connect(server, version, "-sess_in", file)
        #expect(second.contains("\nReused, TLSv1"))
        #expect(second.contains("HTTP/1.1 200"))
        #expect(server.server.counters.tlsResumptions == 1)
    }

    @Test func resumesByIDWhereTicketsAreNotTaken() throws {
        let server = try server()
        let file = certificates.file("session\(server.tlsPort)")
        _ = try connect(server, "-tls1_2", "-no_ticket", "-sess_out", file)
        let second = try connect(server, "-tls1_2", "-no_ticket", "-sess_in", file)
        #expect(second.contains("\nReused, TLSv1"))
    }

    @Test(arguments: [
        "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "NULL",
    ])
    func refusesCiphersWithoutSecrecyOrAuthentication(cipher: String) throws {
        let server = try server()
        let output = try connect(server, "-tls1_2", "-cipher", "\(cipher):@SECLEVEL=0")
        #expect(output.contains("handshake failure"))
        #expect(!output.contains("HTTP/1.1 200"))
    }

    @Test func refusesToRenegotiate() throws {
        let server = try server()
        let arguments = ["s_client", "-connect", "127.0.0.1:\(server.tlsPort)", "-tls1_2"]
        let outcome = try Tool.run("openssl", arguments, input: "R\n\(lastGet)")
        #expect(outcome.output.contains("no renegotiation"))
    }

    @Test func offersBothVersionsByALPNAndRefusesWhatItDoesNotSpeak() throws {
        let server = try server()
        #expect(try connect(server, "-alpn", "http/1.1,h2").contains("ALPN protocol: h2"))
        #expect(try connect(server, "-alpn", "x,http/1.1").contains("ALPN protocol: http/1.1"))
        let refused = try connect(server, "-alpn", "x,y")
        #expect(refused.contains("no application protocol"))
        #expect(try connect(server).contains("HTTP/1.1 200"))
    }

    @Test func asksClientsForCertificates() throws {
        let server = try server(asksClients: true)
        for version in ["-tls1_2", "-tls1_3"] {
            #expect(!(try connect(server, version).contains("HTTP/1.1 200")))
            let other = try Certificates()
            let wrong = try connect(
                server,
                version,
                "-cert",
                other.file("client.pem"),
                "-key",
                other.file("client.key")
            )
            #expect(!wrong.contains("HTTP/1.1 200"))
            let right = try connect(
                server,
                version,
                "-cert",
                certificates.file("client.pem"),
                "-key",
                certificates.file("client.key")
            )
            #expect(right.contains("HTTP/1.1 200"), "\(right)")
        }
        #expect(server.wait { ($0.tlsHandshakes, $0.tlsFailures) == (2, 4) })
    }

    /// The handshake looks at the certificate; a session that is taken up again shows none.
    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func endsTheSessionsOfAClientWithItsCertificate(version: String) throws {
        let time = TestClock()
        let server = try TestServer(
            tls: certificates.configuration(asksClients: true),
            wallClock: WallClock {
                WallClock.system.nowMicroseconds + time.clock.nowNanoseconds / 1000
            }
        )
        let file = certificates.file("session\(server.tlsPort)")
        let (pair, key) = (certificates.file("client.pem"), certificates.file("client.key"))
        let first = try connect(
            server,
            version,
            "-cert",
            pair,
            "-key",
            key,
            "-sess_out",
            file
        )
        #expect(first.contains("HTTP/1.1 200"))
        let again = try connect(server, version, "-sess_in", file)
        #expect(again.contains("\nReused, TLSv1") && again.contains("HTTP/1.1 200"))
        // The certificate is good for less than a hundred years.
        time.advance(by: .seconds(100 * 366 * 86_400))
        let late = try connect(server, version, "-sess_in", file)
        #expect(late.contains("\nReused, TLSv1") && !late.contains("HTTP/1.1 200"))
        #expect(server.wait { ($0.tlsResumptions, $0.tlsFailures) == (1, 1) })
    }

    @Test(arguments: [1, 7, .max])
    func takesAHandshakeInAnyPieces(pieces: Int) throws {
        let server = try server(loops: 1)
        let client = try #require(TLSTestClient(port: server.tlsPort, pieces: pieces))
        #expect(client.shakeHands())
        client.send(get)
        #expect(client.receive(until: "now;").hasSuffix("now;"))
        client.send(lastGet)
        #expect(statuses(of: client.receiveAll()) == [200])
        #expect(client.isShutDown)
    }

    @Test func refusesWhatIsNoTLS() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.tlsPort))
        client.send("SSH-2.0-x\r\n")
        let answer = client.receiveAll()
        #expect(!answer.contains("HTTP"))
        #expect(server.wait { $0.tlsFailures == 1 && $0.connectionsOpen == 0 })
    }

    @Test func forgetsAClientThatDoesNotFinishItsHandshake() throws {
        let server = try TestServer(
            loops: 1,
            hasTestClock: true,
            tls: certificates.configuration()
        )
        let flight = try #require(TLSTestClient(port: server.tlsPort)).firstFlight()
        let client = try #require(TestClient(port: server.tlsPort))
        client.send(Array(flight.dropLast(10)))
        #expect(server.wait { $0.connectionsAccepted == 2 })
        for _ in 0..<9 {
            // Trickles gain nothing.
            client.send([flight[0]])
            server.advance(by: .seconds(1))
        }
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .milliseconds(1200))
        #expect(server.wait { $0.connectionsOpen == 0 })
        #expect(client.receive() == nil)
    }

    @Test func dropsTheOldestOfTooManyHandshakes() throws {
        var limits = ServerLimits()
        limits.handshakesOpenMax = 2
        let server = try TestServer(loops: 1, limits: limits, tls: certificates.configuration())
        let flight = try #require(TLSTestClient(port: server.tlsPort)).firstFlight()
        let silent = try #require(TestClient(port: server.tlsPort))
        var begun: [TestClient] = []
        for count in 1...2 {
            let client = try #require(TestClient(port: server.tlsPort))
            client.send(Array(flight.dropLast(10)))
            begun.append(client)
            #expect(server.wait { $0.bytesIn == 0 && $0.connectionsAccepted == count + 2 })
        }
        // Whoever comes is served, and the one that has waited for longest goes.
        for (index, client) in begun.enumerated() {
            let other = try #require(TLSTestClient(port: server.tlsPort))
            #expect(other.shakeHands())
            other.send(lastGet)
            #expect(statuses(of: other.receiveAll()) == [200])
            if index == 0 {
                #expect(client.receive() == nil)
                #expect(server.wait { $0.limitHits == 1 && $0.tlsFailures >= 1 })
            }
        }
        #expect(server.server.counters.limitHits == 1, "what is complete makes room")
        begun[1].send(Array(flight.suffix(10)))
        #expect(begun[1].receive() != nil, "the other goes on")
        // One that has said nothing is none of them.
        silent.send(flight)
        #expect(silent.receive() != nil)
    }

    @Test func bringsEveryoneInWithOneStepOfAHandshakeInATurn() throws {
        var limits = ServerLimits()
        limits.handshakesPerTurnMax = 1
        let server = try TestServer(
            loops: 1,
            limits: limits,
            tls: certificates.configuration()
        )
        let clients = (0..<20).compactMap { _ in TLSTestClient(port: server.tlsPort) }
        #expect(clients.count == 20)
        for client in clients {
            #expect(client.shakeHands())
            client.send(lastGet)
        }
        for client in clients { #expect(statuses(of: client.receiveAll()) == [200]) }
    }

    @Test func readsWhatTheLibraryHasBuffered() throws {
        let server = try server(loops: 1)
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        var requests = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
        for index in 0..<500 {
            requests += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\(1000 + index)"
        }
        client.send(requests)
        // The type of the first answer has one too.
        let answers = client.receive(until: ";", count: 502)
        let bodies = answers.split(separator: ";").dropFirst(2).map { $0.suffix(4) }
        #expect(bodies == (0..<500).map { "\(1000 + $0)"[...] })
    }

    @Test func movesLargeBodiesBothWays() throws {
        let server = try server(loops: 1)
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        let body = String(repeating: "0123456789", count: 100_000)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        client.send(body)
        #expect(client.receive(until: ";").hasSuffix(body + ";"))
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: ";").utf8.count > 8_000_000)
    }
}
