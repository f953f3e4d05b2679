package convert

import (
	"fmt"
	"net"
	"slices"
	"strconv"
)

// readPython converts a configuration of Orbited2: calls of Listen and RemoteDestination.
func (c *command) readPython(text string) {
	var all addresses
	var certs []option
	first := make(map[string]call) // RemoteDestination by host and port
	reader{
		call: func(one call) {
			for line := one.line; line <= one.end; line++ {
				c.seen[line] = true
			}
			switch one.name {
			case "Listen":
				c.listen2(one, &all, &certs)
			case "RemoteDestination":
				c.destination(one, first)
			default:
				c.lose(one.line, "%s(...): not understood, and not run", one.name)
			}
		},
		bad: func(line int, err error) {
			c.lose(line, "not understood, and not run: %v; say by hand what it does", err)
		},
		more: func(line, first int) { c.note(line, "belongs to what begins in line %d", first) },
	}.read(text)
	c.addresses(all)
	if len(all.tls) > 0 {
		c.options = append(c.options, certs[:min(2, len(certs))]...)
	}
	c.options = append(c.options, option{"legacy", "orbited2"})
}

// values sorts the arguments of a call by the names of its parameters.
func (c *command) values(one call, parameters ...string) (map[string]any, bool) {
	values, ok := make(map[string]any), true
	for i, a := range one.args {
		name := a.name
		if name == "" && i < len(parameters) {
			name = parameters[i]
		}
		_, twice := values[name]
		if !slices.Contains(parameters, name) || twice {
			c.lose(one.line, "%s(...): %s", one.name, map[bool]string{true: "the argument " + name + " twice", false: fmt.Sprintf("an unknown argument %q", name)}[twice])
			ok = false
			continue
		}
		values[name] = a.value
	}
	return values, ok
}

// get is a value of the type of its default.
func get[T any](values map[string]any, name string, value T) (T, error) {
	v, ok := values[name]
	if !ok {
		return value, nil
	}
	typed, ok := v.(T)
	if !ok {
		return value, fmt.Errorf("%s is %v", name, v)
	}
	return typed, nil
}

func (c *command) listen2(one call, all *addresses, certs *[]option) {
	values, ok := c.values(one, "port", "protocols", "interface", "ssl", "certfile", "keyfile")
	if !ok {
		return
	}
	port, err1 := get(values, "port", 8000)
	protocols, err2 := get(values, "protocols", []any{"ws", "csp"})
	host, err3 := get(values, "interface", "127.0.0.1")
	ssl, err4 := get(values, "ssl", 0)
	cert, err5 := get(values, "certfile", "")
	key, err6 := get(values, "keyfile", "")
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err != nil {
			c.lose(one.line, "Listen(...): %v, of another kind than Orbited2 took", err)
			return
		}
	}
	for _, p := range []any{"ws", "csp"} {
		if !slices.Contains(protocols, p) {
			c.note(one.line, "Listen(...): --legacy orbited2 serves %s as well", p)
		}
	}
	for _, p := range protocols {
		switch p {
		case "ws", "csp":
		case "monitor":
			c.lose(one.line, "Listen(...): there is no monitor page; the log has a line for each socket")
		default:
			c.lose(one.line, "Listen(...): the protocol %q is unknown", fmt.Sprint(p))
		}
	}
	a, ok := newAddress(one.line, host, strconv.Itoa(port))
	switch {
	case !ok:
		c.lose(one.line, "Listen(...): %q is not a host and a port", net.JoinHostPort(host, strconv.Itoa(port)))
	case ssl == 0:
		all.plain = append(all.plain, a)
		if cert != "" || key != "" {
			c.note(one.line, "Listen(...): without ssl=1 nothing uses certfile and keyfile")
		}
	case cert == "" || key == "":
		c.lose(one.line, "Listen(...): ssl without certfile and keyfile; say --listen, --cert and --key")
	case len(*certs) > 0 && ((*certs)[0].value != cert || (*certs)[1].value != key):
		c.lose(one.line, "Listen(...): another certificate: encke has one for all its addresses; run a second one at %s", a.hostPort)
	default:
		all.tls = append(all.tls, a)
		*certs = append(*certs, option{"cert", cert}, option{"key", key})
	}
}

// destination converts a rule. Of several for one host and port the first one counted.
func (c *command) destination(one call, first map[string]call) {
	values, ok := c.values(one, "name", "hostname", "port", "host_header", "protocol")
	if !ok {
		return
	}
	for _, required := range []string{"name", "hostname", "port", "host_header"} {
		if _, ok := values[required]; !ok {
			c.lose(one.line, "RemoteDestination(...): Orbited2 required %s", required)
			return
		}
	}
	name, err1 := get(values, "name", "")
	host, err2 := get(values, "hostname", "")
	port, err3 := get(values, "port", 0)
	source, err4 := get(values, "host_header", "")
	protocol, err5 := get(values, "protocol", "ws/hixie76")
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			c.lose(one.line, "RemoteDestination(...): %v, of another kind than Orbited2 took", err)
			return
		}
	}
	target := net.JoinHostPort(host, strconv.Itoa(port))
	if before, ok := first[target]; ok {
		c.note(one.line, "RemoteDestination(%q): left out, since the one in line %d for %s decided", name, before.line, target)
		return
	}
	first[target] = one
	if !slices.Contains([]string{"tcp", "ws/hixie75", "ws/hixie76"}, protocol) {
		c.lose(one.line, "RemoteDestination(%q): the protocol %q is unknown", name, protocol)
		return
	}
	if c.allow(one.line, source, host, strconv.Itoa(port)) && protocol != "tcp" {
		c.note(one.line, "RemoteDestination(%q): %s: the page chooses between TCP and WebSocket now, and the backend is spoken to as in RFC 6455", name, protocol)
	}
}
