-- SPDX-License-Identifier: MIT
-- Posts readings of many machines, one after the other, and says at the end what came of it.
-- Arguments: path, machines in all, rows in a request (1: the object alone, else a batch), threads.
-- The requests are made before the clock starts; each thread has machines of its own.

local threads = {}

function setup(thread)
    thread:set("index", #threads)
    table.insert(threads, thread)
end

local function reading(machine)
    return string.format(
        '{"equipment_id":"EQ%06d","temperature":%.2f,"vibration":%.3f,"pressure":%.2f,'
            .. '"rotation_speed":%.1f,"current":%.2f,"operating_hours":%d}',
        machine, 60 + 30 * math.random(), 0.5 + 3 * math.random(), 85 + 20 * math.random(),
        1200 + 400 * math.random(), 15 + 12 * math.random(), math.random(100, 20000))
end

local function body(first, rows)
    if rows == 1 then return reading(first) end
    local readings = {}
    for row = 1, rows do readings[row] = reading(first + row - 1) end
    return '{"instances":[' .. table.concat(readings, ",") .. "]}"
end

function init(args)
    local path = args[1]
    local machines, rows, threadCount = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
    local share = math.floor(machines / rows / threadCount) * rows
    math.randomseed(7 + index)
    wrk.headers["Content-Type"] = "application/json"
    requests = {}
    -- Two rounds: a sensor that never changes would be flagged as stuck.
    for _ = 1, 2 do
        for first = index * share, (index + 1) * share - 1, rows do
            table.insert(requests, wrk.format("POST", path, nil, body(first, rows)))
        end
    end
    place = 0
end

function request()
    place = place % #requests + 1
    return requests[place]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("result %d %d %d %.1f",
        summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(99)))
end
