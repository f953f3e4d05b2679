# Lines of the level debug, which went to the screen, go to the log file as well.
# Lines of the level access, which went to the screen, go to the log file as well.
# Lines of the level warn, which went to the screen, go to the log file as well.
# Lines of the level error, which went to the screen, go to the log file as well.
# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# The log file is opened as the user that encke becomes, who must be allowed to write it.
# line 8: [logging] info: --log-file
encke \
  --listen :8000 \
  --user www-data \
  --allow localhost:6667 \
  --legacy orbited07 \
  --log-file /var/log/orbited.log
