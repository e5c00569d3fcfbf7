// SPDX-License-Identifier: MIT

internal import Glibc
internal import Platform
internal import Synchronization

/// What came of a look at the files of a TLS listener.
package enum CertificateReload: Sendable, Equatable {
    /// New files are in use; the certificate ends at that many seconds since the epoch.
    case replaced(expirySeconds: Int64)
    /// New files cannot be used; the old ones stay.
    case refused(TLSError)
}

/// The certificate that a listener shows, replaced when its files change.
///
/// A session keeps the context that it began with, so that a change cuts no one off.
///
/// - Note: Thread safety: any thread may call; the lock is held for the making of a session.
final class TLSIdentity: Sendable {
    private struct State: ~Copyable {
        var context: TLSContext
        var statuses: [FileStatus?]
        var loadedNanoseconds: Int64
    }

    private let configuration: TLSConfiguration
    private let state: Lock<State>
    let reloadCount = Atomic(0)
    let refusalCount = Atomic(0)

    /// Contexts are made anew after 12 hours at the latest: with them the keys of session tickets
    /// change, so that a stolen one opens half a day's traffic at most.
    private static let ageNanosecondsMax: Int64 = 12 * 3_600_000_000_000

    /// - Throws: ``TLSError``.
    init(_ configuration: TLSConfiguration, now: Int64) throws(TLSError) {
        self.configuration = configuration
        // Looked at before they are read: what changes in between is found by the next look.
        let statuses = TLSIdentity.statuses(configuration)
        let context = try TLSContext(configuration)
        state = Lock(State(context: context, statuses: statuses, loadedNanoseconds: now))
    }

    /// When the certificate in use ends, in seconds since the epoch.
    var expirySeconds: Int64 { state.withLock { $0.context.expirySeconds } }

    /// Makes a session on a connected socket.
    ///
    /// - Throws: `SystemError` where there is no memory.
    func makeSession(on descriptor: Int32) throws(SystemError) -> TLSSession {
        guard let session = state.withLock({ $0.context.makeSession(on: descriptor) }) else {
            throw SystemError(call: "SSL_new", errno: ENOMEM)
        }
        return session
    }

    /// Loads the files if they have changed, at a moment of the monotonic clock and one in seconds
    /// since the epoch.
    ///
    /// - Returns: Nil where there is nothing to tell.
    func reloadIfChanged(now: Int64, wallSeconds: Int64) -> CertificateReload? {
        let statuses = TLSIdentity.statuses(configuration)
        let (isChanged, isOld) = state.withLock { state in
            let isChanged = state.statuses != statuses
            state.statuses = statuses
            return (isChanged, now - state.loadedNanoseconds > TLSIdentity.ageNanosecondsMax)
        }
        guard isChanged || isOld else { return nil }
        do throws(TLSError) {
            let context = try TLSContext(configuration)
            let expiry = context.expirySeconds
            // Where both have ended it may be the clock that is wrong.
            guard expiry > wallSeconds || expirySeconds <= wallSeconds else {
                throw .ended(certificatePath: configuration.certificatePath)
            }
            var replacement = Optional(consume context)
            state.withLock { state in
                if let context = replacement.take() { state.context = context }
                state.loadedNanoseconds = now
            }
            guard isChanged else { return nil }
            reloadCount.wrappingAdd(1, ordering: .relaxed)
            return .replaced(expirySeconds: expiry)
        } catch {
            state.withLock { $0.loadedNanoseconds = now }
            refusalCount.wrappingAdd(1, ordering: .relaxed)
            return .refused(error)
        }
    }

    /// Identity and age of the files behind the paths, which may be symbolic links.
    private static func statuses(_ configuration: TLSConfiguration) -> [FileStatus?] {
        let paths = [
            configuration.certificatePath, configuration.keyPath,
            configuration.clientAuthorityPath,
        ]
        return paths.map { path in path.flatMap { try? FileAccess.status(of: $0) } }
    }
}
