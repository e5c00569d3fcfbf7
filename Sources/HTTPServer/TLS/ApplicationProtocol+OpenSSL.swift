// SPDX-License-Identifier: MIT

internal import COpenSSL

extension ApplicationProtocol {
    /// Lets a context choose among the protocols, the first that the client takes too; a client
    /// that names others only is refused (RFC 7301 §3.2), one that names none speaks HTTP/1.1.
    static func offer(_ protocols: [ApplicationProtocol], in context: OpaquePointer) {
        // One digit for each protocol, one above its index in `allCases`: the callback's argument
        // is a number, so that nothing has to outlive the context.
        var number: UInt = 0
        for wanted in protocols.reversed() {
            guard let index = allCases.firstIndex(of: wanted) else { continue }
            number = number << 4 | UInt(index + 1)
        }
        // SAFETY: the argument is never read as a pointer; the client's list is valid for the
        // call, and what is chosen lies in it, as the library allows.
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, chosenCount, list, listCount, argument in
                guard let list = unsafe list, let chosen = unsafe chosen,
                    let chosenCount = unsafe chosenCount
                else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                // SAFETY: the library gives the list's start and size.
                let names = unsafe UnsafeBufferPointer(start: list, count: Int(listCount))
                // SAFETY: a pointer's bits are a number.
                var number = UInt(bitPattern: argument)
                while number > 0 {
                    let wanted = ApplicationProtocol.allCases[Int(number & 15) - 1]
                    number >>= 4
                    guard let range = unsafe wanted.range(in: names) else { continue }
                    // SAFETY: the range lies within the list.
                    unsafe chosen.pointee = list + range.lowerBound
                    unsafe chosenCount.pointee = UInt8(range.count)
                    return SSL_TLSEXT_ERR_OK
                }
                return SSL_TLSEXT_ERR_ALERT_FATAL
            },
            UnsafeMutableRawPointer(bitPattern: number)
        )
    }

    /// Where the protocol's name is in a list of names, each after its length.
    private func range(in names: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        var start = 0
        while start < names.count {
            // SAFETY: the buffer checks its bounds in debug builds, and the loops do in all.
            let end = unsafe start + 1 + Int(names[start])
            guard end <= names.count else { return nil }
            // SAFETY: as above.
            if unsafe names[(start + 1)..<end].elementsEqual(rawValue.utf8) {
                return (start + 1)..<end
            }
            start = end
        }
        return nil
    }
}
