# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 5: NOT CONVERTED: [static] INDEX: encke serves its own files at /; let a web server serve "/var/www", or mount it below a name
encke \
  --listen localhost:8000 \
  --allow localhost:6667 \
  --legacy orbited08
