# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: NOT CONVERTED: [global] user: without --user encke stays root and warns; better name another user
# line 3: NOT CONVERTED: [global] group without a user; say --user as well
# line 4: [global] session.ping_timeout: at most 24h0m0s here
# line 4: [global] session.ping_timeout: --linger, how long a session whose page is gone is kept
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --linger 24h0m0s
