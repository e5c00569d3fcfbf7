// SPDX-License-Identifier: MIT

import Features
import ModelRuntime
import Training

/// The model that serves, for what a later one has to take from it.
enum Champion {
    /// Where it is looked for unless told.
    static let defaultPath = "models"

    /// The layout of its machines' records; nil where there is no such model yet.
    ///
    /// `path` is a bundle, a model's folder or that of all models. A model for other sensors is a
    /// mistake where it was named, and another plant's where it was not.
    ///
    /// - Throws: ``TrainingError``.
    static func layout(_ path: String?, for schema: Schema) throws(TrainingError) -> StateLayout? {
        guard schema.hasState, let model = try load(path) else { return nil }
        let transform = model.manifest.transform
        guard transform.schema.hasState,
            transform.schema.sensors.map(Measured.init)
                == schema.sensors.map(Measured.init)
        else {
            guard path == nil else {
                throw .unusable("\(model.path): its sensors are not those of schema \(schema.name)")
            }
            return nil
        }
        Console.line("layout of \(model.path): kept, so that its machines' windows stay")
        return transform.layout
    }

    private static func load(_ path: String?) throws(TrainingError) -> LoadedModel? {
        let location: BundleLocation
        do throws(ModelDirectoryError) {
            location = try ModelDirectory(path: path ?? defaultPath).candidates()[0]
        } catch {
            switch error {
            case .missing, .noModel: if path == nil { return nil }
            default: break
            }
            throw .unusable("\(error)\(hint)")
        }
        do throws(BundleError) {
            return try BundleReader.load(location)
        } catch {
            throw .unusable("\(location.path): \(error)\(hint)")
        }
    }

    private static let hint =
        "; name the model that serves with --champion, or begin anew with --new-layout"

    /// What of a sensor the content of a pane depends on.
    private struct Measured: Equatable {
        private let name: String
        private let kind: Sensor.Kind
        private let range: ClosedRange<Double>?

        init(_ sensor: Sensor) { (name, kind, range) = (sensor.name, sensor.kind, sensor.range) }
    }
}
