# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 8: [test] stompdispatcher.enabled: there is none
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --log-level warn
