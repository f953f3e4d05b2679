# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 3: NOT CONVERTED: [listen] stomp://:61613: encke holds no broker; run a STOMP broker, such as RabbitMQ or ActiveMQ, at :61613, and allow it
# line 4: NOT CONVERTED: [listen] stomp://localhost:61614 --queue-size=100: encke holds no broker; run a STOMP broker, such as RabbitMQ or ActiveMQ, at localhost:61614 --queue-size=100, and allow it
# line 5: NOT CONVERTED: [listen] echo://:9000: no test servers; encke demo has an echo server
# line 6: NOT CONVERTED: [listen] lineecho://:9001: no test servers; encke demo has an echo server
# line 7: NOT CONVERTED: [listen] rude://:9002: no test servers; encke demo has an echo server
# line 8: NOT CONVERTED: [listen] announce://:9003: no test servers; encke demo has an echo server
# line 9: NOT CONVERTED: [listen] monitor://:9004: no test servers; encke demo has an echo server
# line 10: NOT CONVERTED: [listen] "gopher://:70": unknown scheme
encke \
  --listen 127.0.0.1:8000 \
  --allow localhost:61613 \
  --legacy orbited07
