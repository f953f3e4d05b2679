# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
encke \
  --listen 127.0.0.1:8000 \
  --allow 'localhost:8000 -> irc.example.org:6667' \
  --allow localhost:61613 \
  --legacy orbited2
