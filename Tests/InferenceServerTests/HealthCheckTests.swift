// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import Testing

@Suite struct HealthCheckTests {
    private func settings(_ port: UInt16?, host: String = "127.0.0.1") -> Settings {
        var settings = Settings()
        settings.host = host
        settings.port = port
        return settings
    }

    @Test(arguments: ["127.0.0.1", "localhost", "0.0.0.0"])
    func passesWhereAModelServes(host: String) throws {
        let server = try TestServer()
        let port = try #require(server.application.server.port(of: .main))
        #expect(HealthCheck.failure(settings(port, host: host)) == nil)
    }

    @Test func asksTheAdminPortWhereThereIsNoOther() throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        var asked = settings(nil)
        asked.adminPort = server.application.server.port(of: .admin)
        #expect(HealthCheck.failure(asked) == nil)
    }

    @Test func failsWithoutAModel() throws {
        let server = try TestServer(bundles: { _ in })
        let port = try #require(server.application.server.port(of: .main))
        #expect(HealthCheck.failure(settings(port)) == "/health answered 503")
    }

    @Test func failsWhereNobodyListens() throws {
        let server = try TestServer()
        let port = try #require(server.application.server.port(of: .main))
        server.application.server.stopNow()
        server.application.waitUntilStopped()
        let failure = try #require(HealthCheck.failure(settings(port)))
        #expect(failure.hasPrefix("127.0.0.1 port \(port): connect: "))
    }

    @Test func failsWhereThePortIsNotKnown() {
        #expect(HealthCheck.failure(settings(nil)) == "no port is set to ask at")
        #expect(HealthCheck.failure(settings(0)) == "no port is set to ask at")
    }

    @Test func failsForAHostThatIsNoAddress() {
        let failure = HealthCheck.failure(settings(1, host: "plant.example"))
        #expect(failure == "no answer from plant.example port 1")
    }
}
