# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
encke \
  --listen :8000 \
  --allow 'localhost:8000 -> localhost:61613' \
  --legacy orbited07
