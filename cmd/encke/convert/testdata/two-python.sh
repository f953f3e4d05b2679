# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
# line 1: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 2: belongs to what begins in line 1
# line 3: belongs to what begins in line 1
# line 4: belongs to what begins in line 1
# line 5: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 6: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 7: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 8: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them; say by hand what it does
# line 9: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them; say by hand what it does
# line 10: belongs to what begins in line 9
# line 11: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 12: belongs to what begins in line 11
# line 13: belongs to what begins in line 11
# line 14: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 15: NOT CONVERTED: not understood, and not run: something behind the call; say by hand what it does
# line 16: NOT CONVERTED: not understood, and not run: something behind the call; say by hand what it does
# line 17: NOT CONVERTED: not understood, and not run: not a call of Listen or RemoteDestination; say by hand what it does
# line 18: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them (in line 19); say by hand what it does
# line 20: NOT CONVERTED: Listen(...): the argument port twice
# line 21: NOT CONVERTED: Listen(...): an unknown argument "wrong"
# line 22: NOT CONVERTED: Listen(...): port is 8004, of another kind than Orbited2 took
# line 23: NOT CONVERTED: not understood, and not run: "8_005" is no plain number; say by hand what it does
# line 24: NOT CONVERTED: not understood, and not run: "0x10" is no plain number; say by hand what it does
# line 25: NOT CONVERTED: not understood, and not run: no comma between two arguments; say by hand what it does
# line 26: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them; say by hand what it does
# line 28: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them; say by hand what it does
# line 29: NOT CONVERTED: not understood, and not run: a value that is no string, number or list of them; say by hand what it does
# line 30: NOT CONVERTED: not understood, and not run: an argument without a name behind one with a name; say by hand what it does
# line 31: NOT CONVERTED: Listen(...): "127.0.0.1:0" is not a host and a port
# line 32: Listen(...): --legacy orbited2 serves ws as well
# line 32: Listen(...): --legacy orbited2 serves csp as well
# line 32: NOT CONVERTED: Listen(...): the protocol "soap" is unknown
# line 33: NOT CONVERTED: Serve(...): not understood, and not run
# line 34: NOT CONVERTED: RemoteDestination(...): Orbited2 required host_header
# line 35: NOT CONVERTED: bad target "b_c" port 1: the host holds '_'; only letters, digits, dots and hyphens may be in it
# line 36: NOT CONVERTED: bad target "*" port 1234: the host holds '*'; only letters, digits, dots and hyphens may be in it
# line 37: NOT CONVERTED: not understood, and not run: an escape other than of a quote or a backslash; say by hand what it does
# line 38: NOT CONVERTED: not understood, and not run: a string that does not end in its line; say by hand what it does
encke \
  --listen 127.0.0.1:8008 \
  --listen 127.0.0.1:8012 \
  --allow irc.example.org:6667 \
  --legacy orbited2
