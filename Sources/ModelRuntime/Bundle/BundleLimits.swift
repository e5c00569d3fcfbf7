// SPDX-License-Identifier: MIT

/// What a bundle may cost to read: everything beyond is refused before it is parsed.
package struct BundleLimits: Equatable, Sendable {
    /// Files in a bundle's directory; format 1 has seven, a signature and room for more.
    package var filesMax = 32
    /// Bytes of `SHA256SUMS`: ``filesMax`` lines of the longest file names.
    package var sumsBytesMax = 16 << 10
    /// Bytes of `manifest.json`: 4096 features take less than one megabyte.
    package var manifestBytesMax = 4 << 20
    /// Bytes of `weights.safetensors`: a thousand times the default network.
    package var weightsBytesMax = 256 << 20
    /// Bytes of `reference.safetensors`: 4096 rows of 4096 features.
    package var referenceBytesMax = 64 << 20
    /// Bytes of `golden.json`: the most cases of a default model take a quarter.
    package var goldenBytesMax = 8 << 20
    /// Bytes of `background.json`: a day of minutes of each record of a default model.
    package var backgroundBytesMax = 16 << 20
    /// Bytes of `evaluation.json`.
    package var evaluationBytesMax = 8 << 20
    /// Bytes of `SHA256SUMS.sig`: an Ed25519 signature has as many.
    package var signatureBytesMax = 64
    /// Bytes of a file that the format does not know; it is hashed and no more.
    package var otherBytesMax = 64 << 20
    /// Bytes of a safetensors header: a hundred for each of ten thousand tensors.
    package var tensorHeaderBytesMax = 1 << 20
    /// Tensors in a safetensors file: six for each of the most layers of the most members.
    package var tensorsMax = 3072
    /// Golden cases: each costs one forward pass and its history at load.
    package var goldenCasesMax = 256
    /// Readings in the history of a golden case.
    package var goldenHistoryMax = 4096

    /// The limits as documented above.
    package init() {}

    /// How many bytes the file of this name may have.
    package func bytesMax(of name: String) -> Int {
        switch name {
        case BundleFile.manifest: manifestBytesMax
        case BundleFile.weights: weightsBytesMax
        case BundleFile.reference: referenceBytesMax
        case BundleFile.golden: goldenBytesMax
        case BundleFile.background: backgroundBytesMax
        case BundleFile.evaluation: evaluationBytesMax
        case BundleFile.sums: sumsBytesMax
        case BundleFile.signature: signatureBytesMax
        default: otherBytesMax
        }
    }
}

/// The names of the files of a bundle of format 1.
package enum BundleFile {
    /// What the model is.
    package static let manifest = "manifest.json"
    /// Its weights.
    package static let weights = "weights.safetensors"
    /// A sample of the training rows.
    package static let reference = "reference.safetensors"
    /// Cases with their expected answers.
    package static let golden = "golden.json"
    /// Training readings to explain by; optional.
    package static let background = "background.json"
    /// How it did on test rows.
    package static let evaluation = "evaluation.json"
    /// A SHA-256 sum of each file above.
    package static let sums = "SHA256SUMS"
    /// An Ed25519 signature of ``sums``; optional.
    package static let signature = "SHA256SUMS.sig"

    /// The files that every bundle has beside its sums.
    package static let required = [evaluation, golden, manifest, reference, weights]
}
