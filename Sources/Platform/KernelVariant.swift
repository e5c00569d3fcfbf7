// SPDX-License-Identifier: MIT

internal import CLinux

/// One build of the kernel source.
package enum KernelVariant: String, CaseIterable, Sendable {
    /// What every CPU of the architecture has: SSE2 or NEON.
    case baseline
    /// x86-64-v3: AVX2 and FMA.
    case avx2
    /// x86-64-v4: AVX-512.
    case avx512

    /// The variants that this CPU runs, the fastest last.
    package static let available: [KernelVariant] = {
        switch pdm_x86_level() {
        case 4: [.baseline, .avx2, .avx512]
        case 3: [.baseline, .avx2]
        default: [.baseline]
        }
    }()

    /// The fastest variant that this CPU runs.
    package static let best = available[available.count - 1]

    /// Whether this CPU runs it.
    package var isAvailable: Bool { Self.available.contains(self) }
}
