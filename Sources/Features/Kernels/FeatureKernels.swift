// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
internal import Platform

/// The feature engine's kernels of one variant behind checked sizes.
///
/// Every variant gives the same bits: whole numbers, and operations on Double in one order.
struct FeatureKernels: Sendable {
    /// The build that is called.
    let variant: KernelVariant

    init(_ variant: KernelVariant) {
        precondition(variant.isAvailable)
        self.variant = variant
    }

    /// Takes the reading in `scratch.values`: notes what is missing, out of range or stuck, and the
    /// last values; where it `advances`, its own become the last ones of the record at `base`.
    func read(
        _ sensors: SensorPlans,
        _ layout: RecordLayout,
        _ words: inout MutableSpan<UInt64>,
        at base: Int,
        advances: Bool,
        _ scratch: inout FeatureScratch
    ) {
        let count = layout.sensorCount
        precondition(base >= 0 && base + layout.wordCount <= words.count)
        precondition(sensors.count == count && scratch.areSized(sensors: count))
        // SAFETY: sizes were checked above; a record holds one word and one half of a word of each
        // sensor.
        unsafe words.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            let record = unsafe start + 8 * base
            unsafe withPointers(&scratch.values, &scratch.flags, &scratch.previous) {
                // SAFETY: as above.
                unsafe read(
                    count,
                    sensors.accepted.start,
                    sensors.stuckAfter.start,
                    (sensors.forwardFill, advances),
                    record + 8 * RecordLayout.values,
                    record + 8 * layout.equalReadings,
                    $0,
                    $1,
                    $2
                )
            }
        }
    }

    private func read(
        _ n: Int,
        _ a: UnsafePointer<Double>,
        _ s: UnsafePointer<UInt32>,
        _ isOn: (fill: Bool, advance: Bool),
        _ l: UnsafeMutableRawPointer,
        _ e: UnsafeMutableRawPointer,
        _ v: UnsafeMutablePointer<Double>,
        _ f: UnsafeMutableRawPointer,
        _ p: UnsafeMutablePointer<Double>
    ) {
        let (fill, go) = isOn
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.readSensors(n, a, s, fill, go, l, e, v, f, p)
            case .avx512:
                return unsafe KernelsAVX512.readSensors(n, a, s, fill, go, l, e, v, f, p)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.readSensors(n, a, s, fill, go, l, e, v, f, p)
    }

    /// The last three stages of cleaning: forward fill, imputation and clipping, of the reading and
    /// of the last values.
    func clean(_ sensors: SensorPlans, _ scratch: inout FeatureScratch) {
        precondition(scratch.areSized(sensors: sensors.count))
        // SAFETY: sizes were checked above.
        unsafe withPointers(
            &scratch.values,
            &scratch.flags,
            &scratch.inputs,
            &scratch.previous
        ) {
            // SAFETY: as above.
            unsafe clean(sensors.count, sensors.cleaning.start, sensors.forwardFill, $0, $1, $2, $3)
        }
    }

    private func clean(
        _ n: Int,
        _ c: UnsafePointer<Double>,
        _ fill: Bool,
        _ v: UnsafePointer<Double>,
        _ f: UnsafeMutableRawPointer,
        _ x: UnsafeMutablePointer<Double>,
        _ p: UnsafeMutablePointer<Double>
    ) {
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.cleanSensors(n, c, fill, v, f, x, p)
            case .avx512: return unsafe KernelsAVX512.cleanSensors(n, c, fill, v, f, x, p)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.cleanSensors(n, c, fill, v, f, x, p)
    }

    /// Adds the reading's measured values, NaN for none, to a pane of the record at `base`.
    func add(
        _ scratch: inout FeatureScratch,
        _ layout: RecordLayout,
        _ words: inout MutableSpan<UInt64>,
        at base: Int,
        _ pane: PanePosition
    ) {
        precondition(base >= 0 && base + layout.wordCount <= words.count)
        precondition(pane.place >= 0 && pane.place < layout.paneCount)
        precondition(scratch.values.count == layout.sensorCount)
        let place = base + layout.panes + pane.place * layout.wordsPerPane
        // SAFETY: the pane lies in the record, and all that is kept of the gauges in the pane; the
        // layout's sensors are below their number, and it has two numbers of each gauge's range.
        unsafe words.withUnsafeMutableBufferPointer { words in
            guard let start = words.baseAddress else { return }
            // SAFETY: as above.
            unsafe scratch.values.withUnsafeBufferPointer { values in
                guard let values = values.baseAddress else { return }
                // SAFETY: as above.
                unsafe add(
                    start + place,
                    layout.shape.start,
                    pane.index,
                    values,
                    layout.sensors.start,
                    layout.quantisation.start
                )
            }
        }
    }

    private func add(
        _ to: UnsafeMutablePointer<UInt64>,
        _ x: UnsafePointer<Int>,
        _ epoch: Int64,
        _ v: UnsafePointer<Double>,
        _ s: UnsafePointer<Int>,
        _ q: UnsafePointer<Double>
    ) {
        let most = UInt64(SpecLimits.paneCountMax)
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.addReading(to, x, epoch, v, s, q, most)
            case .avx512: return unsafe KernelsAVX512.addReading(to, x, epoch, v, s, q, most)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.addReading(to, x, epoch, v, s, q, most)
    }

    /// Adds up, window by window, the panes of a record that hold readings of the windows' time.
    func gather(
        _ layout: RecordLayout,
        _ record: Span<UInt64>,
        _ newest: PanePosition,
        into to: inout WindowStatistics
    ) {
        let windows = to.lengths.count
        guard windows > 0 else { return }
        precondition(record.count == layout.wordCount && to.gaugeCount == layout.sensors.count)
        precondition(newest.place >= 0 && newest.place < layout.paneCount)
        precondition(to.livePanes.count <= layout.paneCount)
        // SAFETY: the panes end the record, and sums, squares and maxima of all gauges lie in a
        // pane; `to` has room for the entries and three more, and for the panes of its longest
        // window, at most as many as the record's.
        unsafe record.withUnsafeBufferPointer { words in
            guard let start = words.baseAddress else { return }
            let (lengths, stride) = (to.lengths, to.stride)
            unsafe withPointers(&to.livePanes, &to.liveCounts, &to.sums, &to.maxima) {
                // SAFETY: as above.
                unsafe gather(
                    start + layout.panes,
                    layout.shape.start,
                    newest,
                    lengths.start,
                    windows,
                    $0,
                    $1,
                    $2,
                    $3,
                    stride
                )
            }
        }
    }

    private func gather(
        _ ring: UnsafePointer<UInt64>,
        _ shape: UnsafePointer<Int>,
        _ newest: PanePosition,
        _ lengths: UnsafePointer<Int>,
        _ w: Int,
        _ p: UnsafeMutablePointer<UInt32>,
        _ e: UnsafeMutablePointer<Int>,
        _ s: UnsafeMutablePointer<UInt64>,
        _ m: UnsafeMutablePointer<UInt32>,
        _ n: Int
    ) {
        // SAFETY: the caller checked all sizes.
        let (r, x, l, at, epoch) = unsafe (ring, shape, lengths, newest.place, newest.index)
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.sumWindows(r, x, at, epoch, l, w, p, e, s, m, n)
            case .avx512:
                return unsafe KernelsAVX512.sumWindows(r, x, at, epoch, l, w, p, e, s, m, n)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.sumWindows(r, x, at, epoch, l, w, p, e, s, m, n)
    }

    /// Means, standard deviations and maxima -> values[start...][3][stride], right for entries with
    /// 2 to ``WindowTotals/kernelCountMax`` readings.
    func finish(
        _ of: inout WindowStatistics,
        _ cells: WindowCells,
        _ values: inout [Double],
        from start: Int
    ) {
        precondition(cells.byEntry.count == 2 * of.stride)
        precondition(start >= 0 && start + 3 * of.stride <= values.count)
        // SAFETY: sizes were checked above and by the initializer of `of`.
        let stride = of.stride
        unsafe withPointers(&of.sums, &of.maxima, &values) {
            // SAFETY: as above.
            unsafe finish($0, $1, cells.byEntry.start, stride, $2, start)
        }
    }

    private func finish(
        _ sums: UnsafePointer<UInt64>,
        _ maxima: UnsafePointer<UInt32>,
        _ cells: UnsafePointer<Double>,
        _ n: Int,
        _ y: UnsafeMutablePointer<Double>,
        _ at: Int
    ) {
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2:
                return unsafe KernelsAVX2.windowStatistics(sums, maxima, cells, n, y, at)
            case .avx512:
                return unsafe KernelsAVX512.windowStatistics(sums, maxima, cells, n, y, at)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.windowStatistics(sums, maxima, cells, n, y, at)
    }

    /// The features among the inputs -> features, and scaled, as Float -> row.
    func scale(_ scratch: inout FeatureScratch, _ by: RowScaling) {
        let count = by.places.count
        precondition(by.placeMax < scratch.inputs.count && by.centers.count == count)
        precondition(scratch.features.count == count && scratch.row.count == count)
        precondition(by.scales.count == count)
        if count < 4 { return by.scalePlainly(&scratch) }
        // SAFETY: sizes were checked above, and no place is beyond `placeMax` or negative.
        unsafe withPointers(&scratch.inputs, &scratch.features, &scratch.row) {
            // SAFETY: as above.
            unsafe scale(
                $0,
                by.places.start,
                by.centers.start,
                by.scales.start,
                by.clip,
                $1,
                $2,
                count
            )
        }
    }

    private func scale(
        _ inputs: UnsafePointer<Double>,
        _ p: UnsafePointer<Int>,
        _ c: UnsafePointer<Double>,
        _ s: UnsafePointer<Double>,
        _ clip: Double,
        _ x: UnsafeMutablePointer<Double>,
        _ y: UnsafeMutablePointer<Float>,
        _ n: Int
    ) {
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.scaleRow(inputs, p, c, s, clip, x, y, n)
            case .avx512: return unsafe KernelsAVX512.scaleRow(inputs, p, c, s, clip, x, y, n)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.scaleRow(inputs, p, c, s, clip, x, y, n)
    }
}
