// SPDX-License-Identifier: MIT

internal import Integrity
internal import JSON
internal import ModelRuntime

/// What `--verify` says of a bundle.
struct BundleReport {
    /// Whether the bundle would serve.
    let isGood: Bool
    /// JSON: the bundle's description, or the reason why it is refused.
    let text: String

    init(path: String, signedBy keys: [Ed25519PublicKey] = []) {
        var report = JSONObject()
        report["path"] = .string(path)
        do throws(BundleError) {
            let bundle = try BundleReader.load(path: path, signedBy: keys)
            isGood = true
            report["verified"] = true
            report["signature"] = keys.isEmpty ? "not checked" : "verified"
            report["model"] = .object(ModelInfo.object(bundle))
        } catch {
            isGood = false
            report["verified"] = false
            report["reason"] = .string("\(error)")
        }
        text = String(
            decoding: JSONValue.object(report).serialized(isPretty: true),
            as: UTF8.self
        )
    }
}
