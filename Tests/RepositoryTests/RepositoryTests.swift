// SPDX-License-Identifier: MIT

import Testing

/// The rules of the house, read from the files of the repository.
struct RepositoryTests {
    @Test(arguments: Check.all(in: .repository))
    func everyFileKeepsTheRule(_ check: Check) {
        let findings = Repository.files.flatMap { check.findings($0) }
        let list = findings.map(\.description).joined(separator: "\n")
        #expect(findings.isEmpty, "\(check.name):\n\(list)")
    }

    @Test(arguments: Check.all(in: .canary))
    func everyCheckRefusesItsCanaries(_ check: Check) {
        #expect(!check.refused.isEmpty)
        for file in check.refused {
            #expect(!check.findings(file).isEmpty, "\(file.path) passed:\n\(file.text)")
        }
    }

    @Test(arguments: Check.all(in: .canary))
    func everyCheckAcceptsWhatIsRight(_ check: Check) {
        #expect(!check.accepted.isEmpty)
        for file in check.accepted {
            #expect(check.findings(file) == [], "\(file.text)")
        }
    }

    @Test func findsTheRepository() {
        #expect(Repository.paths.contains("Package.swift"))
        #expect(Repository.files.contains { $0.path == "Sources/Platform/FileAccess.swift" })
    }

    @Test func tracksNoProducts() {
        #expect(Repository.trackedPaths.filter(Check.isProduct) == [])
    }

    @Test(arguments: [
        ("Package.resolved", true), (".build/debug.yaml", true), (".build-tsan/a", true),
        ("data/a.csv", true), ("models/m/registry.json", true), ("trainers/__pycache__/a", true),
        ("Package.swift", false), ("docs/data/a.md", false),
        ("Tests/TrainingTests/Fixtures/data/a.csv", false),
    ])
    func knowsProductsByTheirPath(path: String, isProduct: Bool) {
        #expect(Check.isProduct(path) == isProduct)
    }
}
