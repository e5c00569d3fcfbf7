// SPDX-License-Identifier: MIT

/// Elementary functions in plain arithmetic: the same bits on every CPU, unlike the C library's,
/// which picks a version with or without fused multiply-add at run time.
package enum PortableMath {
    /// e to the power of `x`, within 2 ulp; below -708 it is 0, above 709 infinity.
    package static func exp(_ x: Double) -> Double {
        guard x > -708 else { return x.isNaN ? x : 0 }
        guard x < 709 else { return .infinity }
        // Adding and taking off 1.5 * 2^52 rounds to the nearest integer without a library call.
        let magic = 6_755_399_441_055_744.0
        let n = x * 1.442_695_040_888_963_4 + magic - magic
        // ln 2 in two parts, the first with 32 trailing zero bits, so that n * high is exact.
        let r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33
        // Taylor to degree 13: the next term is below 1e-17 for |r| <= ln(2) / 2.
        var sum = 1.0 / 6_227_020_800
        sum = sum * r + 1.0 / 479_001_600
        sum = sum * r + 1.0 / 39_916_800
        sum = sum * r + 1.0 / 3_628_800
        sum = sum * r + 1.0 / 362_880
        sum = sum * r + 1.0 / 40_320
        sum = sum * r + 1.0 / 5_040
        sum = sum * r + 1.0 / 720
        sum = sum * r + 1.0 / 120
        sum = sum * r + 1.0 / 24
        sum = sum * r + 1.0 / 6
        sum = sum * r + 0.5
        sum = sum * r + 1
        sum = sum * r + 1
        return sum * Double(bitPattern: UInt64(Int64(n) + 1023) << 52)
    }

    /// Natural logarithm of a positive number, within 2 ulp; -infinity for 0, NaN below.
    package static func log(_ x: Double) -> Double {
        guard x > 0, x.isFinite else { return x == 0 ? -.infinity : (x > 0 ? x : .nan) }
        var exponent = Double(x.exponent)
        var significand = x.significand
        if significand > 1.414_213_562_373_095_1 {
            significand *= 0.5
            exponent += 1
        }
        // log m = 2 atanh(s) with |s| <= 0.172: the term after s^23 is below 1e-19.
        let s = (significand - 1) / (significand + 1)
        let square = s * s
        var sum = 1.0 / 23
        sum = sum * square + 1.0 / 21
        sum = sum * square + 1.0 / 19
        sum = sum * square + 1.0 / 17
        sum = sum * square + 1.0 / 15
        sum = sum * square + 1.0 / 13
        sum = sum * square + 1.0 / 11
        sum = sum * square + 1.0 / 9
        sum = sum * square + 1.0 / 7
        sum = sum * square + 1.0 / 5
        sum = sum * square + 1.0 / 3
        let tail = sum * square * s * 2
        return exponent * 0x1.62e42feep-1
            + (2 * s + (tail + exponent * 0x1.a39ef35793c76p-33))
    }

    /// 1 / (1 + e^-x), within 2 ulp.
    package static func sigmoid(_ x: Double) -> Double {
        1 / (1 + exp(-x))
    }

    /// log(1 + e^x) without overflow, absolute error below 1e-15.
    package static func softplus(_ x: Double) -> Double {
        let small = exp(x < 0 ? x : -x)
        return (x > 0 ? x : 0) + log(1 + small)
    }
}
