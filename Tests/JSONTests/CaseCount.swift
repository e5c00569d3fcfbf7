// SPDX-License-Identifier: MIT

/// A million cases where the optimiser helps, fewer in debug builds.
func caseCount(release: Int) -> Int {
    #if DEBUG
        release / 10
    #else
        release
    #endif
}
