// SPDX-License-Identifier: MIT

/// What a JSON text may cost: the reader refuses what goes beyond, with the offset.
package struct JSONLimits: Equatable, Sendable {
    /// The deepest nesting that any caller may allow: one bit of state per level.
    package static let depthCeiling = 64

    /// How many objects and arrays may be open at once.
    ///
    /// The service's own texts need 5.
    package let depthMax: Int
    /// How long the whole text may be.
    ///
    /// The largest of the service's own texts, a manifest, takes some hundred kilobytes.
    package let byteCountMax: Int
    /// How many bytes of UTF-8 a string or key may have once its escapes are resolved, which takes
    /// up to six times as many between the quotes.
    package let stringByteCountMax: Int

    /// Makes limits; the depth lies between 1 and ``depthCeiling``.
    package init(
        depthMax: Int = 32,
        byteCountMax: Int = 16 << 20,
        stringByteCountMax: Int = 64 << 10
    ) {
        precondition((1...Self.depthCeiling).contains(depthMax))
        precondition(byteCountMax >= 0 && stringByteCountMax >= 0)
        self.depthMax = depthMax
        self.byteCountMax = byteCountMax
        self.stringByteCountMax = stringByteCountMax
    }
}
