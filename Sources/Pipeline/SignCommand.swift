// SPDX-License-Identifier: MIT

import ArgumentParser
import Integrity
import ModelRuntime
import Training

/// Signs bundles for servers that take signed ones only.
struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Signs bundles, for servers with --bundle-public-key.",
        discussion: """
            Each bundle is verified first; then SHA256SUMS.sig is written beside its sums, in the \
            place of any other. `openssl genpkey -algorithm ed25519 -out private.pem` makes a key, \
            `openssl pkey -in private.pem -pubout -out public.pem` the one that the servers get.
            """
    )

    @Argument(help: "The bundles' directories.")
    var bundles: [String]

    @Option(help: "A PEM file with an Ed25519 private key, without a password.")
    var key: String

    func run() throws {
        try reporting { () throws(TrainingError) in
            let key: Ed25519PrivateKey
            do throws(KeyFileError) { key = try Ed25519PrivateKey(file: self.key) } catch {
                throw .unusable("\(error)")
            }
            for path in bundles {
                do throws(BundleError) { try BundleSigner.sign(path, with: key) } catch {
                    throw .unusable("\(path): \(error)")
                }
                Console.line("signed: \(path)")
            }
        }
    }
}
