-- Let a turn by where every window has room; the same turn always gets the same answer.
-- KEYS: the turn's mark, the mark that a refusal was told, one list of times per window.
-- ARGV: now and how long the turn's mark is kept, in milliseconds; then per window its amount and
-- its milliseconds.
-- Answers "ok", or "tell" or "drop" with the number of the window and the milliseconds until it
-- opens.
local known = redis.call('GET', KEYS[1])
if known then
  return known
end
local now = tonumber(ARGV[1])
local last, wait, span = 0, 0, 0
for at = 3, #KEYS do
  local amount, window = tonumber(ARGV[2 * at - 3]), tonumber(ARGV[2 * at - 2])
  local oldest = redis.call('LINDEX', KEYS[at], amount - 1)
  if oldest and tonumber(oldest) + window - now > wait then
    last, wait, span = at - 2, tonumber(oldest) + window - now, window
  end
end
local answer = 'ok'
if last > 0 then
  local told = redis.call('SET', KEYS[2], '1', 'NX', 'PX', math.max(span, 1))
  answer = string.format('%s %d %d', told and 'tell' or 'drop', last, wait)
else
  for at = 3, #KEYS do
    local amount, window = tonumber(ARGV[2 * at - 3]), tonumber(ARGV[2 * at - 2])
    redis.call('LPUSH', KEYS[at], string.format('%d', now))
    redis.call('LTRIM', KEYS[at], 0, amount - 1)
    redis.call('PEXPIRE', KEYS[at], window)
  end
end
redis.call('SET', KEYS[1], answer, 'PX', ARGV[2])
return answer
