// SPDX-License-Identifier: MIT

internal import Features

extension Setting {
    static func shard(_ flag: String, _ path: Path<FleetShard?>, _ reason: String) -> Setting {
        Setting(
            flag: flag,
            accepted: "a shard and their number, up to \(FleetShard.countMax), such as 0/3, or all",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path].map { "\($0)" } ?? "all" },
            assign: { settings, text in
                settings[keyPath: path] = FleetShard(text)
                return settings[keyPath: path] != nil || text == "all"
            }
        )
    }
}
