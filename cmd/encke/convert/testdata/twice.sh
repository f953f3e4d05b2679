# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: [global] user: given again in line 3, which counted
# line 7: [global] session.ping_interval: given again in line 8, which counted
# line 8: [global] session.ping_interval: --heartbeat, the longest silence on a link of any kind
encke \
  --listen :8000 \
  --listen :8001 \
  --user nobody \
  --allow localhost:6667 \
  --legacy orbited07 \
  --heartbeat 20s
