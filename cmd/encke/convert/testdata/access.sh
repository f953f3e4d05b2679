# Browsers may ask for the proxy by the names of --host and loopback ones only; by any before.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
# line 5: [access] example.org: at port 80, Orbited's default
# line 8: NOT CONVERTED: [access] "* -> *": Orbited refused a target with *; name the host and port
# line 9: NOT CONVERTED: [access] "* -> *:6667": Orbited refused a target with *; name the host and port
# line 10: NOT CONVERTED: [access] "* -> *.example.org:6667": Orbited refused a target with *; name the host and port
# line 11: NOT CONVERTED: bad target "10.0.0.0/8" port 6667: the host holds '/'; only letters, digits, dots and hyphens may be in it
# line 12: NOT CONVERTED: "*.example.org -> a.example.org:1": the source is one host, or * alone for all; write a rule for each
# line 13: NOT CONVERTED: "a_b.example.org -> a.example.org:1": the source: the host holds '_'; only letters, digits, dots and hyphens may be in it
# line 14: NOT CONVERTED: "http://www.example.org -> a.example.org:1": the source is a URL; write its host alone, and its port unless it is 80 or 443
# line 15: NOT CONVERTED: [access] "x ->": not SOURCE -> HOST:PORT
# line 16: NOT CONVERTED: [access] "-> a.example.org:1": not SOURCE -> HOST:PORT
# line 17: NOT CONVERTED: [access] "a.example.org:1": not SOURCE -> HOST:PORT
# line 18: NOT CONVERTED: [access] "a -> b:1 -> c:1": not SOURCE -> HOST:PORT
# line 19: NOT CONVERTED: bad target "a.example.org:99999": the port is not a number in 1-65535
# line 20: NOT CONVERTED: bad target "a.example.org:irc": the port is not a number in 1-65535
# line 21: NOT CONVERTED: bad target "127.1" port 6667: not an IPv4 address in four decimal parts, such as 192.0.2.7
# line 24: NOT CONVERTED: bad target "::1:6667": more than one colon; write an IPv6 address in brackets, [2001:db8::1]:6667
# line 25: [access] 192.0.2.7: at port 80, Orbited's default
encke \
  --listen :8000 \
  --host www.example.org \
  --allow 'localhost:8000 -> localhost:6667' \
  --allow example.org:80 \
  --allow 'www.example.org -> irc.example.org:6667' \
  --allow 'www.example.org -> irc.example.org:6697' \
  --allow mail.example.org:25 \
  --allow '[::1]:6667' \
  --allow 192.0.2.7:80 \
  --legacy orbited07
