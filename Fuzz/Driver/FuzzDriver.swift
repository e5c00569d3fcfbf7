// SPDX-License-Identifier: MIT

internal import FuzzTargets
internal import Platform

/// The target that the environment names, looked up once.
private let target: FuzzTarget? =
    ProcessEnvironment.variables["FUZZ_TARGET"].flatMap(FuzzTarget.init(rawValue:))

/// What libFuzzer calls with every input; a fault ends the process, which it takes note of.
@c(LLVMFuzzerTestOneInput)
package func runFuzzInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let target else { preconditionFailure("FUZZ_TARGET names no target") }
    // SAFETY: libFuzzer gives bytes that are valid for the call, and their count.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let fault = target.fault(in: bytes) { preconditionFailure(fault) }
    return 0
}
