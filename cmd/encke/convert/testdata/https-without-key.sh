# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: NOT CONVERTED: [listen] https at :443: [ssl] has no key and crt for it; say --listen, --cert and --key
# line 5: [ssl] crt: of no use without the other
encke \
  --listen :8000 \
  --allow 10.0.0.5:6667 \
  --legacy orbited07
