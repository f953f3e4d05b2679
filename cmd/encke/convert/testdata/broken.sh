# No address to listen on was converted: encke listens on 127.0.0.1:8000.
# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# NOT CONVERTED: no rule: nothing could be reached, so encke does not start; add --allow HOST:PORT
# line 1: NOT CONVERTED: "user=nobody": no section has begun
# line 2: NOT CONVERTED: "[global": no section has begun
# line 3: NOT CONVERTED: "reactor=select": no section has begun
# line 5: NOT CONVERTED: [listen] "http//:8000": not SCHEME://HOST:PORT
# line 6: NOT CONVERTED: [listen] "http://:0": not a host and a port
# line 7: NOT CONVERTED: [listen] "http://:port": not http://HOST:PORT
# line 8: NOT CONVERTED: [listen] "http://user@:8000/": not http://HOST:PORT
# line 9: NOT CONVERTED: [listen] "http://:8000/path": not http://HOST:PORT
# line 10: NOT CONVERTED: [listen] "http://:8000?x=1": not http://HOST:PORT
# line 11: NOT CONVERTED: [listen] "http://a_b:8000": not a host and a port
# line 12: NOT CONVERTED: "[nonsense]" is no section of Orbited; the lines below it are left out
# line 13: NOT CONVERTED: "a=b": of a section that is unknown
# line 15: NOT CONVERTED: "user": not KEY = VALUE
# line 16: NOT CONVERTED: "=nobody": not KEY = VALUE
# line 17: NOT CONVERTED: "group=": not KEY = VALUE
encke \
  --legacy orbited07
