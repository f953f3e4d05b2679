# No address to listen on was converted: encke listens on 127.0.0.1:8000.
# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# NOT CONVERTED: no rule: nothing could be reached, so encke does not start; add --allow HOST:PORT
encke \
  --legacy orbited07
