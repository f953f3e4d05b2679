# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: NOT CONVERTED: http at :80, beside https: encke speaks TLS at all its addresses or at none; run a second one for it
encke \
  --listen :443 \
  --cert c.pem \
  --key k.pem \
  --allow 10.0.0.5:6667 \
  --legacy orbited07
