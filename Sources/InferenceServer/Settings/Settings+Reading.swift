// SPDX-License-Identifier: MIT

extension Settings {
    /// Reads the settings: a flag wins over its variable, that over the other variable, and that
    /// over the default.
    ///
    /// `texts` are those of the flags that were given. Beyond single values, what does not fit
    /// together is refused.
    init(texts: [String: String], environment: [String: String]) throws(SettingError) {
        self.init()
        for setting in Setting.all {
            let found = setting.variables.lazy.compactMap { name in
                environment[name].map { (name, $0) }
            }
            if let text = texts[setting.flag] {
                try set(setting, text, "--\(setting.flag)", isEnvironment: false)
            } else if let (name, text) = found.first {
                try set(setting, text, name, isEnvironment: true)
                if name == AzureModelDirectory.variable {
                    modelDirectory = AzureModelDirectory.folder(in: modelDirectory)
                }
            }
        }
        if port == nil, tlsPort == nil, adminPort == nil {
            throw SettingError(
                source: "--port, --tls-port and --admin-port",
                text: "off",
                accepted: "possible for all: there would be no listener",
                isEnvironment: false
            )
        }
        if let conflict = listenerConflict ?? directoryConflict ?? authorityConflict {
            throw conflict
        }
        if let (flag, path) = contract.conflict {
            throw SettingError(
                source: "--\(flag)",
                text: path,
                accepted: "a path that no other route has",
                isEnvironment: false
            )
        }
        if service.drift.windowsNeeded > service.drift.windowCount {
            throw SettingError(
                source: "--drift-windows-needed",
                text: "\(service.drift.windowsNeeded)",
                accepted: "at most the \(service.drift.windowCount) of --drift-windows",
                isEnvironment: false
            )
        }
        if tlsPort != nil, tls == nil {
            throw SettingError(
                source: "--tls-port",
                text: Setting.port("tls-port", \.tlsPort, "").render(self),
                accepted: "possible without --tls-certificate and --tls-key",
                isEnvironment: false
            )
        }
    }

    private mutating func set(
        _ setting: Setting,
        _ text: String,
        _ source: String,
        isEnvironment: Bool
    ) throws(SettingError) {
        guard setting.assign(&self, text) else {
            throw SettingError(
                source: source,
                text: text,
                accepted: setting.accepted,
                isEnvironment: isEnvironment
            )
        }
    }
}
