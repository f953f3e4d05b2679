package convert

import (
	"net"
	"net/url"
	"strings"

	"encke/whitelist"
)

// address is where a server listened.
type address struct {
	line     int
	hostPort string
	host     string // "": all addresses of the machine
}

// addresses are those of a configuration, by whether they speak TLS.
type addresses struct{ plain, tls []address }

// listen converts [listen] and [ssl].
func (o *orbited) listen() {
	var all addresses
	for _, e := range o.lists["listen"] {
		scheme, rest, ok := strings.Cut(e.value, "://")
		switch {
		case !ok:
			o.lose(e.line, "[listen] %q: not SCHEME://HOST:PORT", e.value)
		case scheme == "http" || scheme == "https":
			o.http(&all, e, scheme)
		case scheme == "stomp":
			o.lose(e.line, "[listen] %s: encke holds no broker; run a STOMP broker, such as RabbitMQ or ActiveMQ, at %s, and allow it", e.value, rest)
		case strings.Contains(" echo lineecho rude announce monitor ", " "+scheme+" "):
			o.lose(e.line, "[listen] %s: no test servers; encke demo has an echo server", e.value)
		default:
			o.lose(e.line, "[listen] %q: unknown scheme", e.value)
		}
	}
	cert := make(map[string]entry)
	for _, e := range o.lists["ssl"] {
		if e.key != "key" && e.key != "crt" {
			o.unknown("ssl", e)
			continue
		}
		cert[e.key] = e
		if len(all.tls) == 0 {
			o.note(e.line, "[ssl] %s: no https address uses it", e.key)
		}
	}
	if len(all.tls) > 0 && (cert["key"].value == "" || cert["crt"].value == "") {
		for _, a := range all.tls {
			o.lose(a.line, "[listen] https at %s: [ssl] has no key and crt for it; say --listen, --cert and --key", a.hostPort)
		}
		all.tls = nil
		for _, e := range cert {
			o.note(e.line, "[ssl] %s: of no use without the other", e.key)
		}
	}
	if len(all.tls) > 0 {
		o.option(cert["crt"].line, "cert", cert["crt"].value)
		o.option(cert["key"].line, "key", cert["key"].value)
	}
	o.addresses(all)
}

// http notes an http or https address.
func (o *orbited) http(all *addresses, e entry, scheme string) {
	u, err := url.Parse(e.value)
	if err != nil || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		o.lose(e.line, "[listen] %q: not %s://HOST:PORT", e.value, scheme)
		return
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	a, ok := newAddress(e.line, u.Hostname(), port)
	switch {
	case !ok:
		o.lose(e.line, "[listen] %q: not a host and a port", e.value)
	case scheme == "https":
		all.tls = append(all.tls, a)
	default:
		all.plain = append(all.plain, a)
	}
}

func newAddress(line int, host, port string) (address, bool) {
	check := host
	if host == "" {
		check = "localhost"
	}
	if strings.Contains(check, ":") {
		check = "[" + check + "]"
	}
	if _, err := whitelist.ParseHostPort(check + ":" + port); err != nil {
		return address{}, false
	}
	return address{line, net.JoinHostPort(host, port), host}, true
}

// addresses adds those of one kind: encke speaks TLS at all of its addresses or at none.
func (c *command) addresses(all addresses) {
	use := all.plain
	if len(all.tls) > 0 {
		use = all.tls
		for _, a := range all.plain {
			c.lose(a.line, "http at %s, beside https: encke speaks TLS at all its addresses or at none; run a second one for it", a.hostPort)
		}
	}
	for _, a := range use {
		c.option(a.line, "listen", a.hostPort)
		c.name(a.host)
	}
	if len(use) == 0 {
		c.general = append(c.general, "No address to listen on was converted: encke listens on 127.0.0.1:8000.")
	}
}
