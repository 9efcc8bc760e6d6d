-- load.lua: what wrk sends, and what it counts.  Arguments: a file with a body of JSON on each line, perhaps with a path and
-- a tab before it, and milliseconds of rest before each request, if any.  Every thread goes through all bodies, from a place of its own, so that no two requests
-- under way carry the same one.
local threads = {}

function setup(thread)
	table.insert(threads, thread)
	thread:set("number", #threads)
end

local requests, at = {}, 0

function init(args)
	wrk.headers["Content-Type"] = "application/json"
	for line in io.lines(args[1]) do
		local path, body = line:match("^(/%S*)\t(.*)$")
		requests[#requests + 1] = wrk.format("POST", path, nil, body or line)
	end
	at = math.floor(#requests * (number - 1) / 2)
	served, refused, other = 0, 0, 0
	if args[2] then
		local rest = tonumber(args[2])
		delay = function() return rest end
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

-- A 503 is an honest no only if it says when to come again.
function response(status, headers)
	if status == 200 then
		served = served + 1
	elseif status == 503 and (headers["Retry-After"] or headers["retry-after"]) then
		refused = refused + 1
	else
		other = other + 1
	end
end

function done(summary, latency)
	local all = { served = 0, refused = 0, other = 0 }
	for _, thread in ipairs(threads) do
		for name in pairs(all) do
			all[name] = all[name] + thread:get(name)
		end
	end
	local errors = summary.errors
	print(string.format("counted %d %d %d %d %.6f %.3f %.3f", all.served, all.refused, all.other,
		errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
		latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
