# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
# line 3: [global] reactor: encke uses what the system has; nothing to choose
# line 6: [global] session.ping_interval: --heartbeat, the longest silence on a link of any kind
# line 7: [global] session.ping_timeout: --linger, how long a session whose page is gone is kept
# line 21: [ssl] key: no https address uses it
# line 22: [ssl] crt: no https address uses it
# line 31: [logging] debug: SCREEN is standard error
# line 32: [logging] info: SCREEN is standard error
# line 33: [logging] access: SCREEN is standard error
# line 34: [logging] warn: SCREEN is standard error
# line 35: [logging] error: SCREEN is standard error
encke \
  --listen :8000 \
  --user nobody \
  --group daemon \
  --allow 'localhost:8000 -> irc.freenode.net:6667' \
  --allow localhost:4747 \
  --legacy orbited07 \
  --heartbeat 40s \
  --linger 30s \
  --log-level info
