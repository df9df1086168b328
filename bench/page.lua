-- What wrk sends: one page a request to one of 10,000 keys, each with a text of its own.
-- wrk ... -s page.lua URL -- KIND RUN LIMIT: KIND is "echo" (a notification) or "alert" (Alertmanager's API);
-- RUN tells the texts of one run from those of others; after LIMIT answers nothing more is asked (0: no limit).

local kind, run, limit
local asked, answered = 0, 0
local path, headers = nil, { ["Content-Type"] = "application/json" }

local ECHO = '{"notificationType":"PAGER_DUTY","to":["%s"],"source":{"application":"orders","user":"bench"},'
  .. '"additionalContext":{"message":"Deploy of orders to prod failed, run %s-%d","details":{"region":"eu-central-1","run":%d}}}'
local ALERT = '[{"labels":{"alertname":"DeployFailed","application":"orders","key":"%s","run":"%s-%d"},'
  .. '"annotations":{"summary":"Deploy of orders to prod failed, run %d","region":"eu-central-1"}}]'

function init(args)
  kind, run, limit = args[1], args[2], tonumber(args[3])
  math.randomseed(7)
  path = kind == "echo" and "/echo/notifications" or "/api/v2/alerts"
  if limit > 0 then
    response = function()
      answered = answered + 1
      if answered == limit then wrk.thread:stop() end
    end
  end
end

function request()
  asked = asked + 1
  local key = string.format("beef%028d", math.random(0, 9999))
  local form = kind == "echo" and ECHO or ALERT
  return wrk.format("POST", path, headers, string.format(form, key, run, asked, asked))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"refused":%d,"broken":%d,"p50_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
