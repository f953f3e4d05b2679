package hostile

import (
	"net"
	"strings"
	"testing"
)

// foreignHosts are requests of pages whose name was pointed at the proxy (DNS
// rebinding): the browser takes page and proxy for the same origin.
func foreignHosts(_ *testing.T, r *rig) (all []attack) {
	_, port, _ := net.SplitHostPort(r.addr)
	hosts := []struct{ name, host string }{
		{"another name", "eViL.test"},
		{"another name with our port", "eViL.test:" + port},
		{"localhost as prefix", "localhost.eViL.test:" + port},
		{"localhost without dot", "eViLlocalhost:" + port},
		{"the loopback address as prefix", "127.0.0.1.eViL.test:" + port},
		{"our name as prefix", name + ".eViL.test"},
		{"our name as suffix", "eViL" + name},
		{"below our name", "eViL." + name},
		{"above our name", "listed.test"},
		{"a listed origin's host", "www.listed.test"},
		{"an address of the local network", "192.168.1.1"},
		{"the metadata address", "169.254.169.254"},
		{"the unspecified address", "0.0.0.0:" + port},
		{"the unspecified IPv6 address", "[::]:" + port},
		{"zero", "0:" + port},
		{"loopback in decimal", "2130706433:" + port},
		{"loopback in hex", "0x7f000001:" + port},
		{"loopback in short form", "127.1:" + port},
		{"loopback in octal", "0177.0.0.1:" + port},
		{"loopback with a zone", "[::1%25lo]:" + port},
		{"nothing", ""},
		{"a port alone", ":" + port},
		{"a dot", "."},
		{"brackets around nothing", "[]:" + port},
		{"a Cyrillic letter", "xn--lcalhost-5fg"},
		{"a comma", "localhost,eViL.test"},
		{"user information", "localhost@eViL.test"},
		{"two ports", "localhost:1:" + port},
	}
	targets := []struct {
		name string
		make func(host string) request
	}{}
	for _, e := range endpoints {
		targets = append(targets, struct {
			name string
			make func(host string) request
		}{e.name, func(host string) request {
			q := e.plain(r, fresh()).with("Host", host)
			q.behind = ""
			own := "http://" + host
			if e.get {
				return ended(q.with("Referer", own+"/").with("Sec-Fetch-Site", "same-origin"))
			}
			return ended(q.with("Origin", own))
		}})
	}
	for _, target := range []string{"/", "/TCPSocket.js", "/TCPSocket.js.map", "/session/", "/session/nothing", "/nothing"} {
		targets = append(targets, struct {
			name string
			make func(host string) request
		}{target, func(host string) request {
			return request{method: "GET", target: target, fields: []string{"Host: " + host, "Connection: close"}}
		}})
	}
	for _, target := range targets {
		for _, h := range hosts {
			all = append(all, attack{name: target.name + " at " + h.name, request: target.make(h.host), want: misdirected})
		}
	}
	for i := range all {
		if strings.Contains(all[i].fields[0], "@") {
			all[i].want = answer{status: 400, raw: true} // by net/http
		}
	}
	return all
}
