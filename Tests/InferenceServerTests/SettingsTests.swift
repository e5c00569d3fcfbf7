// SPDX-License-Identifier: MIT

import ArgumentParser
import HTTPServer
@testable import InferenceServer
import Platform
import Testing

@Suite struct SettingsTests {
    @Test func everyFlagHasItsPlaceInTheTable() throws {
        // All at once: each parser of so many flags takes its time.
        let values = Setting.all.enumerated().map { ($1.flag, String($0)) }
        let options = try SettingOptions.parse(values.flatMap { ["--\($0)", $1] })
        #expect(options.texts == Dictionary(uniqueKeysWithValues: values))
    }

    @Test func everyFlagHasItsHelpAndThereAreNoOthers() {
        let words = SettingOptions.helpMessage().split(whereSeparator: \.isWhitespace)
        #expect(words.filter { $0.hasPrefix("--") }.count == Setting.all.count + 1)
        let help = words.joined(separator: " ")
        for setting in Setting.all {
            #expect(help.contains("--\(setting.flag) <value> \(setting.help)"))
        }
    }

    @Test func defaultsAreAcceptedByTheirOwnSetting() {
        for setting in Setting.all where setting.flag != "model" {
            var settings = Settings()
            #expect(setting.assign(&settings, setting.defaultText), "\(setting.flag)")
            #expect(setting.render(settings) == setting.defaultText)
        }
    }

    @Test func flagWinsOverVariableAndThatOverTheOther() throws {
        func port(_ flag: String?, _ environment: [String: String]) throws -> UInt16? {
            let texts = flag.map { ["port": $0] } ?? [:]
            return try Settings(texts: texts, environment: environment).port
        }
        #expect(try port(nil, [:]) == 5000)
        #expect(try port(nil, ["PORT": "1"]) == 1)
        #expect(try port(nil, ["PORT": "1", "PDM_PORT": "2"]) == 2)
        #expect(try port("3", ["PORT": "1", "PDM_PORT": "2"]) == 3)
    }

    @Test(arguments: [
        ("port", "65536"), ("port", "-1"), ("port", "+5"), ("port", ""), ("port", "80 "),
        ("event-loops", "0"), ("event-loops", "129"), ("drain-delay", "1 s"),
        ("drain-delay", "3601s"), ("drain-delay", "-1s"), ("future-limit", "never"),
        ("unknown-fields", "Ignore"), ("log-level", "trace"), ("log-format", ""),
        ("machines-max", "0"), ("machines-max", "100000001"), ("host", ""), ("model", ""),
        ("head-timeout", "9ms"), ("batch-rows-max", "1000001"), ("host", "example.com"),
        ("host", "127.0.0.1:80"), ("admin-host", "256.0.0.1"), ("reuse-port", "yes"),
        ("encoded-bytes-min", "0"), ("tls-handshakes-max", "0"),
        ("tls-handshakes-open-max", "0"), ("tls-port", "65536"),
        ("http2-streams-max", "0"), ("http2-streams-max", "10001"),
        ("http2-continuations-max", "1001"), ("http2-resets-max", "0"),
        ("http2-control-frames-max", "9"), ("http2-flood-interval", "9ms"),
        ("http2-request-bytes-max", "65535"), ("body-bytes-pending-max", "65535"),
        ("answer-bytes-pending-max", "65535"),
        ("http2-window-bytes", "65534"),
        ("http2-window-bytes", "2147483648"), ("chunk-line-bytes-max", "15"),
        ("chunk-overhead-bytes-max", "1023"), ("turn-time", "1001ms"),
        ("decoded-streams-max", "0"), ("problems-listed-max", "0"), ("model-scan-interval", "9ms"),
        ("unknown-fields-max", "1001"), ("inline-batch-bytes-max", "1048577"),
        ("inline-line-bytes-max", "1048577"),
        ("accepts-per-turn-max", "0"), ("linger-bytes-max", "1023"), ("linger-timeout", "0"),
        ("linger-total-timeout", "9ms"), ("shed-cost-min", "61s"), ("shard", "3/3"),
        ("shard", "0/257"), ("require-history", "yes"), ("score-path", "score"),
    ])
    func refusesTextNamingItsSource(_ flag: String, _ text: String) {
        #expect {
            try Settings(texts: [flag: text], environment: [:])
        } throws: { error in
            let error = error as? SettingError
            return error?.source == "--\(flag)" && error?.exitCode == 64
        }
        let variable = "PDM_" + flag.uppercased().split(separator: "-").joined(separator: "_")
        #expect {
            try Settings(texts: [:], environment: [variable: text])
        } throws: { error in
            let error = error as? SettingError
            return error?.source == variable && error?.exitCode == 78
        }
    }

    @Test(arguments: [
        ("port", "65535"), ("port", "0"), ("port", "off"), ("event-loops", "128"),
        ("event-loops", "auto"), ("drain-delay", "3600s"), ("drain-delay", "60min"),
        ("drain-delay", "15"), ("future-limit", "none"), ("future-limit", "0"),
        ("machines-max", "100000000"), ("head-timeout", "10ms"), ("batch-rows-max", "1000000"),
        ("host", "::1"), ("host", "[::1]"), ("host", "localhost"), ("admin-host", "0.0.0.0"),
        ("reuse-port", "on"), ("encoded-bytes-min", "1"), ("tls-handshakes-max", "10000"),
        ("tls-handshakes-open-max", "1000000"),
        ("http2-streams-max", "1"), ("http2-streams-max", "10000"),
        ("http2-continuations-max", "0"), ("http2-resets-max", "1"),
        ("http2-control-frames-max", "10"), ("http2-flood-interval", "10ms"),
        ("http2-request-bytes-max", "65536"), ("body-bytes-pending-max", "65536"),
        ("answer-bytes-pending-max", "65536"),
        ("http2-window-bytes", "65535"),
        ("http2-window-bytes", "2147483647"), ("chunk-line-bytes-max", "16"),
        ("chunk-overhead-bytes-max", "1024"), ("turn-time", "1s"),
        ("turn-time", "0"), ("decoded-streams-max", "1"), ("problems-listed-max", "1"),
        ("model-scan-interval", "10ms"), ("unknown-fields-max", "1000"),
        ("inline-batch-bytes-max", "1048576"), ("inline-line-bytes-max", "1048576"),
        ("accepts-per-turn-max", "1"), ("linger-bytes-max", "1024"), ("linger-timeout", "10ms"),
        ("linger-total-timeout", "10ms"), ("shed-cost-min", "60s"), ("shard", "255/256"),
        ("shard", "all"), ("require-history", "on"), ("score-path", "none"),
    ])
    func acceptsTextAtTheLimit(_ flag: String, _ text: String) throws {
        let settings = try Settings(texts: [flag: text, "admin-port": "0"], environment: [:])
        #expect(settings.adminPort == 0)
    }

    @Test(arguments: [
        ("0", 0), ("1500ms", 1500), ("30s", 30_000), ("5min", 300_000), ("2h", 7_200_000),
        ("7", 7000), ("2000us", 2),
    ])
    func readsAndWritesTimes(_ text: String, _ milliseconds: Int) throws {
        let duration = try #require(Setting.duration(of: text))
        #expect(duration == .milliseconds(milliseconds))
        #expect(Setting.duration(of: Setting.text(of: duration)) == duration)
    }

    @Test func writesTimesInTheLargestUnitThatFits() {
        let times: [Duration] = [.zero, .microseconds(50), .milliseconds(1500), .seconds(5400)]
        #expect(times.map(Setting.text(of:)) == ["0s", "50us", "1500ms", "90min"])
    }

    @Test(arguments: ["", "s", "1.5s", "1e3", "ms", "-1s", "1 s", "1000000001", "1d"])
    func refusesOtherTimes(_ text: String) {
        #expect(Setting.duration(of: text) == nil)
    }

    @Test func refusesToListenNowhere() {
        #expect(throws: SettingError.self) {
            try Settings(texts: ["port": "off"], environment: [:])
        }
    }

    @Test func speaksTLSWithCertificateAndKeyOnly() throws {
        func settings(_ given: [String: String]) throws -> Settings {
            try Settings(texts: given, environment: [:])
        }
        let pair = ["tls-certificate": "c.pem", "tls-key": "k.pem"]
        #expect(try settings(pair).tls == nil)
        #expect(throws: SettingError.self) { try settings(["tls-port": "0"]) }
        for missing in pair.keys {
            var given = pair
            given["tls-port"] = "0"
            given[missing] = nil
            #expect(throws: SettingError.self) { try settings(given) }
        }
        let error = #expect(throws: SettingError.self) {
            try settings(pair.merging(["tls-client-ca": "a.pem"]) { $1 })
        }
        #expect(error?.description.contains("without --tls-port") == true)
        var given = pair
        given["tls-port"] = "0"
        given["port"] = "off"
        given["tls-client-ca"] = "a.pem"
        let tls = try #require(try settings(given).tls)
        #expect(tls.certificatePath == "c.pem")
        #expect(tls.keyPath == "k.pem")
        #expect(tls.clientAuthorityPath == "a.pem")
    }

    private static let tls = ["tls-certificate": "c.pem", "tls-key": "k.pem"]

    @Test(arguments: [
        ["admin-port": "5000"], ["port": "7", "admin-port": "7"], ["tls-port": "5000"],
        ["port": "off", "tls-port": "7", "admin-port": "7"],
        ["host": "0.0.0.0", "admin-port": "5000"],
        ["admin-host": "0.0.0.0", "admin-port": "5000"], ["host": "::", "admin-port": "5000"],
        ["host": "localhost", "admin-port": "5000"],
        ["host": "::1", "admin-host": "[::1]", "admin-port": "5000"],
        ["admin-port": "5000", "reuse-port": "on"],
    ])
    func refusesAPortTwice(texts: [String: String]) {
        let error = #expect(throws: SettingError.self) {
            try Settings(texts: texts.merging(Self.tls) { $1 }, environment: [:])
        }
        #expect(error?.description.contains("port of its own") == true)
    }

    @Test(arguments: [
        ["admin-port": "5001"], ["port": "0", "admin-port": "0", "tls-port": "0"],
        ["port": "off", "admin-port": "5000"], ["host": "::1", "admin-port": "5000"],
        ["host": "127.0.0.2", "admin-port": "5000"],
        ["host": "0.0.0.0", "admin-host": "::1", "admin-port": "5000"],
    ])
    func acceptsPortsThatDiffer(texts: [String: String]) throws {
        _ = try Settings(texts: texts.merging(Self.tls) { $1 }, environment: [:])
    }

    @Test func stateAndDecisionLogHaveDirectoriesOfTheirOwn() throws {
        func settings(_ state: String, _ decisions: String) throws -> Settings {
            try Settings(
                texts: ["port": "0", "state-dir": state, "decision-log": decisions],
                environment: [:]
            )
        }
        let folder = try TemporaryDirectory()
        for other in ["a", "a/", "./a", ".//a/."] {
            let error = #expect(throws: SettingError.self) { try settings("a", other) }
            #expect(error?.description.contains("--state-dir") == true)
            #expect(error?.description.contains("--decision-log") == true)
        }
        _ = try settings("a", "/a")
        _ = try settings("a", "a/b")
        // Two names of one that is there, and of one that the start makes.
        #expect(throws: SettingError.self) {
            try settings(folder.path, "/tmp/..\(folder.path)")
        }
        let later = try settings("\(folder.path)/a", "\(folder.path)/b/../a")
        try FileAccess.makeDirectory("\(folder.path)/b")
        let error = #expect(throws: StartError.self) {
            try Application(settings: later, log: Log { _ in })
        }
        #expect(error.map { "\($0)" }?.contains("--state-dir") == true)
    }

    @Test(arguments: ["state-dir", "decision-log"])
    func bundlesHaveADirectoryOfTheirOwn(flag: String) {
        for path in ["models", "./models/"] {
            let error = #expect(throws: SettingError.self) {
                try Settings(texts: [flag: path], environment: [:])
            }
            #expect(error?.description.contains("--model-dir") == true)
        }
    }

    @Test func documentationHoldsTheTable() throws {
        let page = try Repository.text("docs/configuration.md")
        #expect(
            page.contains(SettingsDocument.table),
            "the table should be:\n\(SettingsDocument.table)"
        )
    }
}
