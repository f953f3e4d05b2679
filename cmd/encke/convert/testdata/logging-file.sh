# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 6: [logging] debug: --log-file
# line 7: [logging] info: --log-file
# line 8: [logging] access: --log-file
# line 9: [logging] warn: --log-file
# line 10: [logging] error: --log-file
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --log-level debug \
  --log-file /var/log/orbited.log
