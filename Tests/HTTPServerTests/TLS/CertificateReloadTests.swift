// SPDX-License-Identifier: MIT

import Foundation
@testable import HTTPServer
import Platform
import Testing

struct CertificateReloadTests {
    private let old: Certificates
    private let new: Certificates

    init() throws {
        old = try Certificates()
        new = try Certificates()
    }

    /// Whether the server's certificate is signed by that authority.
    private func shows(_ certificates: Certificates, _ server: TestServer) throws -> Bool {
        let url = "https://localhost:\(server.tlsPort)/"
        return try Tool.run("curl", "-sS", "--cacert", certificates.file("ca.pem"), url).status == 0
    }

    @Test func followsSymbolicLinksAsSecretsOfKubernetesChange() throws {
        let volume = "\(old.folder)/volume"
        let files = FileManager.default
        try files.createDirectory(atPath: volume, withIntermediateDirectories: false)
        try files.createSymbolicLink(atPath: "\(volume)/..data", withDestinationPath: old.folder)
        for name in ["server.pem", "server.key"] {
            try files.createSymbolicLink(
                atPath: "\(volume)/\(name)",
                withDestinationPath: "..data/\(name)"
            )
        }
        let server = try TestServer(
            tls: TLSConfiguration(
                certificatePath: "\(volume)/server.pem",
                keyPath: "\(volume)/server.key"
            )
        )
        let expiry = server.server.counters.certificateExpirySeconds
        #expect(expiry > 1_700_000_000)
        #expect(try shows(old, server))
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        server.server.reloadCertificates()
        #expect(server.server.counters.certificateReloads == 0)
        try files.createSymbolicLink(atPath: "\(volume)/..new", withDestinationPath: new.folder)
        // SAFETY: both strings are passed NUL-terminated for the call.
        let result = unsafe rename("\(volume)/..new", "\(volume)/..data")
        #expect(result == 0)
        server.server.reloadCertificates()
        #expect(server.server.counters.certificateReloads == 1)
        #expect(try shows(new, server))
        #expect(!(try shows(old, server)))
        // Who was there before is not cut off.
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "now;").contains(" 200 OK"))
    }

    /// As when a key that nobody may read is given to the server afterwards.
    @Test func looksAgainWhereTheModeOfAFileChanges() throws {
        let server = try TestServer(tls: old.configuration())
        server.server.reloadCertificates()
        #expect(server.server.counters.certificateReloads == 0)
        let key = old.file("server.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        server.server.reloadCertificates()
        #expect(server.server.counters.certificateReloads == 1)
    }

    @Test func keepsTheOldPairWhereTheNewOneIsBad() throws {
        let server = try TestServer(tls: old.configuration())
        let files = FileManager.default
        func replace(_ name: String, _ content: Data) throws {
            try content.write(to: URL(filePath: old.file(name)), options: .atomic)
            server.server.reloadCertificates()
        }
        let pem = try #require(files.contents(atPath: new.file("server.pem")))
        let key = try #require(files.contents(atPath: new.file("server.key")))
        try replace("server.pem", Data("no certificate".utf8))
        #expect(server.server.counters.certificateRefusals == 1)
        #expect(try shows(old, server))
        // The files of a pair change one after the other.
        try replace("server.pem", pem)
        #expect(server.server.counters.certificateRefusals == 2)
        #expect(try shows(old, server))
        try replace("server.key", key)
        #expect(server.server.counters.certificateRefusals == 2)
        #expect(server.server.counters.certificateReloads == 1)
        #expect(try shows(new, server))
    }

    @Test(arguments: [(2, 1, 0), (31, 0, 1)])
    func keepsThePairInUseWhereOnlyTheNewOneHasEnded(
        days: Int64,
        refusals: Int,
        reloads: Int
    ) throws {
        let short = try Certificates(days: 1)
        let now = WallClock.system.nowMicroseconds + days * 86_400_000_000
        let server = try TestServer(tls: old.configuration(), wallClock: WallClock { now })
        for name in ["server.key", "server.pem"] {
            let content = try #require(FileManager.default.contents(atPath: short.file(name)))
            try content.write(to: URL(filePath: old.file(name)), options: .atomic)
        }
        server.server.reloadCertificates()
        #expect(server.server.counters.certificateRefusals == refusals)
        #expect(server.server.counters.certificateReloads == reloads)
        #expect(try shows(reloads == 0 ? old : short, server))
    }

    /// The library would wait for somebody to write.
    @Test func waitsForNoPipe() throws {
        let pipe = old.file("pipe")
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        for path in [
            \TLSConfiguration.certificatePath, \.keyPath, \.clientAuthorityPath!,
        ] {
            var configuration = old.configuration(asksClients: true)
            configuration[keyPath: path] = pipe
            let error = #expect(throws: TLSError.self) { try configuration.check() }
            #expect(error?.description.hasPrefix("\(pipe): no usable ") == true)
            #expect(error?.description.hasSuffix(": not a regular file") == true)
        }
    }

    @Test func saysWhatIsWrongWithThePair() throws {
        var configuration = old.configuration()
        try configuration.check()
        configuration.keyPath = new.file("server.key")
        #expect(
            throws: TLSError.mismatch(
                certificatePath: old.file("server.pem"),
                keyPath: new.file("server.key")
            )
        ) { try configuration.check() }
        configuration.keyPath = old.file("missing")
        let missing = #expect(throws: TLSError.self) { try configuration.check() }
        #expect(missing?.description.contains("missing: no usable private key") == true)
        configuration = old.configuration(asksClients: true)
        try configuration.check()
        configuration.clientAuthorityPath = old.file("server.key")
        #expect(throws: TLSError.self) { try configuration.check() }
        #expect(throws: ServerError.self) { _ = try TestServer(tls: configuration) }
    }
}
