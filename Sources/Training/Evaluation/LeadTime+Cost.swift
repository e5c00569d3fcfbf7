// SPDX-License-Identifier: MIT

package import JSON

extension LeadTime {
    /// The part of `evaluation.json` on what alarms, and failures without one, cost.
    package func json(costs: DecisionCosts) -> JSONObject {
        let caught = leadHours.count
        let total =
            costs.missedFailure * Double(failures - caught)
            + costs.falseAlarm * Double(falseAlarms) + costs.plannedStop * Double(caught)
        var object = JSONObject()
        object["missed_failure"] = .finite(costs.missedFailure)
        object["false_alarm"] = .finite(costs.falseAlarm)
        object["planned_stop"] = .finite(costs.plannedStop)
        object["total"] = .finite(total)
        object["without_alarms"] = .finite(costs.missedFailure * Double(failures))
        object["per_machine_month"] =
            machineMonths > 0 ? .finite(total / machineMonths) : .null
        return object
    }
}
