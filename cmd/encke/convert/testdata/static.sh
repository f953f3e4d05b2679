# Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.
# Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.
# line 4: NOT CONVERTED: [static] INDEX: encke serves its own files at /; let a web server serve "/var/www/index.html", or mount it below a name
# line 7: NOT CONVERTED: [static] crossdomain.xml: "/var/www/crossdomain.xml" looks like a file; --static serves folders, so put it into one
# line 8: NOT CONVERTED: [static] tcp: Orbited refused this name, which it used itself
# line 9: NOT CONVERTED: [static] static: Orbited refused this name, which it used itself
# line 10: NOT CONVERTED: [static] system: Orbited refused this name, which it used itself
# line 11: NOT CONVERTED: [static] "a/b": a name has letters, digits, '.', '_' and '-'
# line 12: NOT CONVERTED: [static] ".git": a name has letters, digits, '.', '_' and '-'
encke \
  --listen :8000 \
  --allow localhost:6667 \
  --legacy orbited07 \
  --static app=/var/www/app \
  --static 'demo-1=./demo folder'
