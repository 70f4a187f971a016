-- Reserve tokens in every account, as many as all of them have left; none where that is too few.
-- KEYS: the accounts. ARGV: how many are wanted, the fewest, the seconds that accounts are kept;
-- then per account what it may spend and what the caller knows to be spent.
-- Answers how many there are, and the number of the account that has least left.
local grant, tight = tonumber(ARGV[1]), 0
local spent = {}
for at = 1, #KEYS do
  local limit, known = tonumber(ARGV[2 * at + 2]), tonumber(ARGV[2 * at + 3])
  spent[at] = math.max(tonumber(redis.call('GET', KEYS[at]) or '0'), known)
  if limit - spent[at] < grant then
    grant, tight = limit - spent[at], at
  end
end
if grant < tonumber(ARGV[2]) then
  return string.format('0 %d', tight)
end
for at = 1, #KEYS do
  redis.call('SET', KEYS[at], string.format('%.0f', spent[at] + grant), 'EX', ARGV[3])
end
return string.format('%.0f %d', grant, tight)
