// SPDX-License-Identifier: MIT

package import Integrity
internal import Platform

/// Signs bundles: an Ed25519 signature of `SHA256SUMS`, hence of all that a bundle holds.
///
/// `SHA256SUMS.sig` holds its 64 bytes as they are, so that
/// `openssl pkeyutl -verify -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig -pubin -inkey public.pem`
/// says the same as this program.
package enum BundleSigner {
    /// Verifies a bundle and puts a signature beside its sums, in the place of any other.
    ///
    /// - Throws: ``BundleError``; what does not verify is not signed.
    package static func sign(
        _ path: String,
        with key: borrowing Ed25519PrivateKey,
        limits: BundleLimits = BundleLimits()
    ) throws(BundleError) {
        let loaded = try BundleReader.load(path: path, limits: limits)
        let sums: [UInt8]
        do throws(FileError) {
            sums = try FileAccess.read("\(path)/\(BundleFile.sums)")
        } catch {
            throw .file(error)
        }
        // What is signed is what was verified, whoever writes meanwhile.
        guard SHA256.digest(of: sums) == loaded.digest else {
            throw .digest(file: BundleFile.sums)
        }
        let signature: [UInt8]
        do throws(KeyError) { signature = try key.signature(of: sums) } catch {
            throw .key(error)
        }
        do throws(FileError) {
            // The bundle's folder may hold nothing that is not listed, so the new file grows
            // beside it.
            let temporary = "\(path).sig.tmp"
            let target = try FileAccess.replaceable("\(path)/\(BundleFile.signature)")
            try FileAccess.write(signature, to: temporary)
            try FileAccess.rename(temporary, to: target)
        } catch {
            throw .file(error)
        }
    }
}
