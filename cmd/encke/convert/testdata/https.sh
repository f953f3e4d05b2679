# Browsers may ask for the proxy by the names of --host and loopback ones only; by any before.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.
encke \
  --listen www.example.org:443 \
  --listen 192.0.2.7:8443 \
  --listen '[2001:db8::1]:8443' \
  --cert '/etc/ssl/site cert.pem' \
  --key '/etc/ssl/it'\''s.key' \
  --host www.example.org \
  --host 192.0.2.7 \
  --host 2001:db8::1 \
  --allow 'www.example.org -> irc.example.org:6667' \
  --allow 'www.example.org -> irc.example.org:6697' \
  --allow '[2001:db8::1]:8443 -> [::1]:5222' \
  --legacy orbited07
