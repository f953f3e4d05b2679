# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 4: NOT CONVERTED: "app=/srv/\x1b[2Jx": a control character
# line 8: NOT CONVERTED: bad target "\x1b[31mred" port 1: brackets are only for an IPv6 address, such as [2001:db8::1]
# line 9: NOT CONVERTED: "[odd\u202e]" is no section of Orbited; the lines below it are left out
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --static 'b=/srv/$(reboot)`id`;"x"'
