# Browsers may ask for the proxy by the names of --host and loopback ones only; by any before.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 2: Listen(...): --legacy orbited2 serves ws as well
# line 7: RemoteDestination("chat"): ws/hixie76: the page chooses between TCP and WebSocket now, and the backend is spoken to as in RFC 6455
encke \
  --listen 127.0.0.1:8000 \
  --listen :8001 \
  --host www.example.org \
  --allow 'www.example.org -> 10.0.0.5:9000' \
  --legacy orbited2
