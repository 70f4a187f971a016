-- Give tokens back to every account; fewer than nothing takes more.
-- KEYS: the accounts. ARGV: how many, the seconds that accounts are kept; then per account what the
-- caller knows to be spent, which is the least that stays.
for at = 1, #KEYS do
  local spent = tonumber(redis.call('GET', KEYS[at]) or '0') - tonumber(ARGV[1])
  spent = math.max(spent, tonumber(ARGV[at + 2]))
  redis.call('SET', KEYS[at], string.format('%.0f', spent), 'EX', ARGV[2])
end
return 1
