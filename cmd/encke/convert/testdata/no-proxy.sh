# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: NOT CONVERTED: [global] proxy.enabled = 0: without the proxy there is nothing for encke to do; a web server serves files
encke \
  --listen :8000 \
  --allow localhost:6667
