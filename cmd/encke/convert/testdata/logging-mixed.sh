# Lines of the level debug, which went to the screen, go to the log file as well.
# Lines of the level warn, which went to the screen, go to the log file as well.
# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 6: NOT CONVERTED: [logging] info: STDOUT: all lines go to one place, /var/log/access.log; lines have their level in them
# line 7: [logging] access: --log-file
# line 8: NOT CONVERTED: [logging] error: STDERR: all lines go to one place, /var/log/access.log; lines have their level in them
# line 8: NOT CONVERTED: [logging] error: /var/log/error.log: all lines go to one place, /var/log/access.log; lines have their level in them
# line 9: NOT CONVERTED: [logging] loud: Orbited had no such entry
# line 10: NOT CONVERTED: [logging] enabled.default: "verbose" is no level
# line 10: [logging] warn was off and is on: a level takes those above it along
# line 10: [logging] info and access are one level here: a line for each socket that ended
# line 12: NOT CONVERTED: [loggers] orbited.cometsession: loggers have no names here; --log-level holds for all
# line 13: NOT CONVERTED: [loggers] Proxy: loggers have no names here; --log-level holds for all
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --log-level info \
  --log-file /var/log/access.log
