// SPDX-License-Identifier: MIT

import Platform

/// What a state of running sums is held against: each machine's last day at a reading a minute, the
/// windows computed anew from it at every reading.
///
/// Only sums, squares, minima and maxima, a sensor a lane: as fast as the raw readings allow.
struct RingBuffers {
    private static let length = 24 * 60
    private let machines: Int
    private let sensorCount: Int
    /// Readings of each window, the shortest first.
    private let windows: [Int]

    /// Bytes of one machine's readings, without the lanes that no sensor uses.
    var byteCount: Int { Self.length * sensorCount * MemoryLayout<Float>.size }

    init(machines: Int, sensorCount: Int, windowHours: [Int]) {
        precondition(sensorCount <= 8, "a sensor has a lane of eight")
        self.machines = machines
        self.sensorCount = sensorCount
        windows = windowHours.map { min($0 * 60, Self.length) }.sorted()
    }

    /// Seconds for a reading of one machine, in random order on one thread.
    func secondsPerUpdate() -> Double {
        var readings = [SIMD8<Float>](repeating: .one, count: machines * Self.length)
        let order = (0..<machines).shuffled()
        var head = 0
        var check = SIMD8<Float>.zero
        var best = Int64.max
        for _ in 0..<3 {
            let start = MonotonicClock.system.nowNanoseconds
            for machine in order {
                let first = machine * Self.length
                readings[first + head] = SIMD8(repeating: Float(machine % 100))
                check += summary(readings.span.extracting(first..<first + Self.length), head)
            }
            best = min(best, MonotonicClock.system.nowNanoseconds - start)
            head += 1
        }
        precondition(check[0].isFinite, "a sum overflowed")
        return Double(best) / 1e9 / Double(machines)
    }

    /// The statistics of all windows that end at `head`, folded into one number a sensor.
    private func summary(_ ring: Span<SIMD8<Float>>, _ head: Int) -> SIMD8<Float> {
        var sum = SIMD8<Float>.zero
        var squares = SIMD8<Float>.zero
        var low = SIMD8<Float>(repeating: .infinity)
        var high = -low
        var result = SIMD8<Float>.zero
        var place = head
        var taken = 0
        for window in windows {
            while taken < window {
                let reading = ring[place]
                sum += reading
                squares += reading * reading
                low = pointwiseMin(low, reading)
                high = pointwiseMax(high, reading)
                place = place == 0 ? ring.count - 1 : place - 1
                taken += 1
            }
            result += (sum + squares) / Float(window) + low + high
        }
        return result
    }
}
