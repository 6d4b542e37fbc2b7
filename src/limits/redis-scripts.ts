// The same arithmetic as in budget.ts, in one step on the server. A budget has two keys: a hash with its numbers, and a
// sorted set with its open reservations, by expiration time.
//
// KEYS: two for each charge, then the set of processes. ARGV: the time in milliseconds or '' for the server's time,
// then the script's own arguments, then for each charge: limit or '', window, burst, concurrency or '', hold, expected.
const shared = `
local function number(text) return tonumber(text) end
local function now_of(text)
  if text ~= '' then return tonumber(text) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function show(value) return string.format('%.17g', value) end
local parts = 24

local function count_use(b, at, units)
  local age = math.max(0, b.part - math.floor(at / (b.window / parts)))
  if age <= parts then b.used[age + 1] = b.used[age + 1] + units end
end
local function used_of(b)
  local sum = 0
  for _, units in ipairs(b.used) do sum = sum + units end
  return math.max(0, sum)
end

local function open(i, first, now)
  local b = { key = KEYS[2 * i - 1], held_key = KEYS[2 * i] }
  local at = first + (i - 1) * 6
  b.limit_rule = number(ARGV[at]) or math.huge
  b.window = number(ARGV[at + 1])
  b.burst = number(ARGV[at + 2])
  b.concurrency = number(ARGV[at + 3]) or math.huge
  b.hold = number(ARGV[at + 4])
  b.expected = number(ARGV[at + 5])
  local saved = redis.call('HMGET', b.key, 'at', 'level', 'used', 'held', 'peak', 'cut', 'pause', 'part', 'ceiling', 'room')
  b.at = number(saved[1] or '') or now
  b.level = number(saved[2] or '')
  b.used = {}
  for units in string.gmatch(saved[3] or '', '[^,]+') do b.used[#b.used + 1] = number(units) end
  for i = #b.used + 1, parts + 1 do b.used[i] = 0 end
  b.held = number(saved[4] or '') or 0
  b.peak = number(saved[5] or '')
  b.cut = number(saved[6] or '') or 0
  b.pause = number(saved[7] or '') or 0
  b.ceiling = number(saved[9] or '') or 0
  b.room_since = number(saved[10] or '') or now

  local passed = math.max(0, now - b.at)
  b.at = b.at + passed
  b.part = number(saved[8] or '') or 0
  local part = math.floor(b.at / (b.window / parts))
  while b.part < part do
    table.insert(b.used, 1, 0)
    table.remove(b.used)
    b.part = math.max(b.part + 1, part - parts)
  end
  local ended = redis.call('ZRANGEBYSCORE', b.held_key, '-inf', now)
  for _, member in ipairs(ended) do
    local hold, expected, at = string.match(member, '^[^|]*|([^|]*)|([^|]*)|([^|]*)$')
    b.held = b.held - number(hold)
    count_use(b, number(at), number(expected))
    redis.call('ZREM', b.held_key, member)
  end
  b.count = redis.call('ZCARD', b.held_key)

  if b.peak then
    local windows = (now - b.cut) / b.window
    if windows <= 10 then b.learned = b.peak * (1 + 0.3 * (windows - 1) ^ 3) end
  end
  b.limit = math.min(b.limit_rule, b.learned or math.huge)
  if b.limit == math.huge then
    b.level = nil
  else
    local capacity = b.limit * b.burst / b.window
    b.level = math.min(capacity, (b.level or capacity) + b.limit * passed / b.window)
  end
  return b
end

local function room_of(b, now)
  if b.limit < b.limit_rule or b.burst >= b.window then
    return math.min(b.limit_rule, math.max(b.limit, 0.85 * (b.peak or 0)))
  end
  local windows = (now - b.room_since) / b.window
  if b.ceiling > 0 and windows <= 10 then return math.max(b.limit_rule, 0.9 * b.ceiling) end
  return b.limit_rule * math.min(2, 1 + 0.25 * (b.ceiling > 0 and windows - 10 or windows))
end

local function save(b)
  local used = {}
  for i, units in ipairs(b.used) do used[i] = show(units) end
  redis.call('HSET', b.key, 'at', show(b.at), 'level', b.level and show(b.level) or '', 'used', table.concat(used, ','),
    'part', show(b.part), 'held', show(b.held), 'peak', b.peak and show(b.peak) or '', 'cut', show(b.cut), 'pause', show(b.pause),
    'ceiling', show(b.ceiling), 'room', show(b.room_since))
  redis.call('PEXPIRE', b.key, math.ceil(10 * b.window))
end

local function state(b)
  return { used_of(b), b.held, b.count, b.learned or -1 }
end
`

/**
 * ARGV: time, ID, lease, process, number of charges, charges. Returns JSON: the ticket's time, or the reason to wait.
 */
export const reserveScript: string = `${shared}
local now, id, lease, process, count = now_of(ARGV[1]), ARGV[2], number(ARGV[3]), ARGV[4], number(ARGV[5])
local processes = KEYS[2 * count + 1]
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now - 60000)
redis.call('ZADD', processes, now, process)
redis.call('PEXPIRE', processes, 120000)
local answer = { now = show(now), sharers = redis.call('ZCARD', processes), states = {} }

local budgets = {}
local worst = 0
for i = 1, count do
  local b = open(i, 6, now)
  budgets[i] = b
  local wait, reason
  local rate = b.limit / b.window
  if b.pause > now then
    wait, reason = b.pause - now, 'paused'
  elseif b.count >= b.concurrency then
    wait, reason = 100, 'concurrency'
  elseif b.limit <= 0 then
    wait, reason = math.huge, 'no_quota'
  elseif b.limit < math.huge then
    local lacking = math.min(b.expected, rate * b.burst) - b.level
    local standing = b.burst < b.window and used_of(b) or 0
    local room = room_of(b, now)
    local excess = b.held + b.hold + standing - room
    if lacking > 0 then
      wait, reason = math.max(10, lacking / rate), 'rate'
    elseif b.hold > 0 and excess > 0 and (b.hold <= room or b.count > 0) then
      wait, reason = math.max(10, excess / rate), 'reserved'
    end
  end
  if wait and wait > worst then
    worst = wait
    answer.wait, answer.reason, answer.index = wait == math.huge and -1 or wait, reason, i
  end
end

for i, b in ipairs(budgets) do
  if worst == 0 then
    if b.hold > 0 then
      local member = id .. '|' .. show(b.hold) .. '|' .. show(b.expected) .. '|' .. show(now)
      redis.call('ZADD', b.held_key, now + lease, member)
      redis.call('PEXPIRE', b.held_key, math.ceil(lease + 10 * b.window))
      b.held = b.held + b.hold
      b.count = b.count + 1
    else
      count_use(b, now, b.expected)
    end
    if b.level then b.level = b.level - b.expected end
  end
  save(b)
  answer.states[i] = state(b)
end
return cjson.encode(answer)
`

/** ARGV: time, ID, grant time, number of charges, charges, then for each: used or '', throttled or '', pause or ''. */
export const settleScript: string = `${shared}
local now, id, granted, count = now_of(ARGV[1]), ARGV[2], number(ARGV[3]), number(ARGV[4])
local answer = { states = {} }
for i = 1, count do
  local b = open(i, 5, now)
  local at = 5 + 6 * count + (i - 1) * 3
  local used, throttled, pause = number(ARGV[at]), ARGV[at + 1], number(ARGV[at + 2])
  local counted = used_of(b) + b.held
  local is_news = (not b.peak or granted > b.cut) and (b.ceiling == 0 or granted > b.room_since)
  if throttled ~= '' and is_news and b.limit == b.limit_rule and counted > b.limit and b.burst < b.window then
    b.ceiling = counted
    b.room_since = now
    b.pause = math.max(b.pause, now + b.window * 0.1)
  elseif throttled ~= '' and is_news and b.peak and now - b.cut < b.window * 0.25 then
    b.pause = math.max(b.pause, now + b.window * 0.1)
  elseif throttled ~= '' and is_news then
    b.peak = math.max(1, math.min(b.limit, counted))
    b.cut = now
    b.learned = b.peak * 0.7
    b.level = math.min(b.level or 0, 0)
  end
  if pause then b.pause = math.max(b.pause, now + pause) end
  if used then
    if b.level then b.level = b.level + b.expected - used end
    local member = id .. '|' .. show(b.hold) .. '|' .. show(b.expected) .. '|' .. show(granted)
    if redis.call('ZREM', b.held_key, member) == 1 then
      b.held = b.held - b.hold
      count_use(b, granted, used)
      b.count = b.count - 1
    else
      count_use(b, granted, used - b.expected)
    end
    if b.count == 0 then b.held = 0 end
  end
  save(b)
  answer.states[i] = state(b)
end
return cjson.encode(answer)
`
