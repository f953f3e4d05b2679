# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 6: NOT CONVERTED: [logging] enabled.default: no level is on; --log-level error says least
# line 7: [logging] error: STDERR is standard error
# line 9: NOT CONVERTED: [test] stompdispatcher.enabled: there is no injector of STOMP messages; send them to the broker itself
# line 10: NOT CONVERTED: [test] other: Orbited had no such entry
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07
