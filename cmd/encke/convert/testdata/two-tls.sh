# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
# line 1: NOT CONVERTED: Listen(...): there is no monitor page; the log has a line for each socket
# line 3: NOT CONVERTED: Listen(...): another certificate: encke has one for all its addresses; run a second one at 127.0.0.1:9443
# line 4: NOT CONVERTED: Listen(...): ssl without certfile and keyfile; say --listen, --cert and --key
# line 5: Listen(...): without ssl=1 nothing uses certfile and keyfile
# line 5: NOT CONVERTED: http at 127.0.0.1:80, beside https: encke speaks TLS at all its addresses or at none; run a second one for it
# line 7: RemoteDestination("b"): left out, since the one in line 6 for a.example.org:1234 decided
# line 8: RemoteDestination("c"): ws/hixie75: the page chooses between TCP and WebSocket now, and the backend is spoken to as in RFC 6455
# line 9: NOT CONVERTED: RemoteDestination("d"): the protocol "udp" is unknown
encke \
  --listen 0.0.0.0:443 \
  --listen 0.0.0.0:8443 \
  --cert site.pem \
  --key site.key \
  --allow a.example.org:1234 \
  --allow a.example.org:1235 \
  --legacy orbited2
