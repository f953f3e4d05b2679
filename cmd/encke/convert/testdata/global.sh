# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: [global] reactor: encke uses what the system has; nothing to choose
# line 3: [global] proxy.enabled: --legacy orbited07
# line 4: [global] session.ping_interval: at most 1m0s here
# line 4: [global] session.ping_interval: --heartbeat, the longest silence on a link of any kind
# line 5: [global] session.ping_timeout: given again in line 6, which counted
# line 6: NOT CONVERTED: [global] session.ping_timeout: "0" is no number of seconds; --linger has a default
# line 7: NOT CONVERTED: [global] session.timeout: Orbited had no such entry
# line 8: NOT CONVERTED: [global] group without a user; say --user as well
encke \
  --listen 0.0.0.0:8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --heartbeat 1m0s
