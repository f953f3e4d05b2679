package transports

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Hosts are the names under which the proxy may be addressed, beside those of the
// loopback interface. A request with another Host is refused: it comes from a
// page whose name was pointed at us (DNS rebinding).
type Hosts []string

// Accepts reports whether the Host of a request, with or without port, is one of
// the names.
func (h Hosts) Accepts(host string) bool {
	name := host
	if n, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return false
		}
		name = n
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		if name, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if strings.Contains(name, ":") != strings.HasPrefix(host, "[") || !hostForm(name) {
		return false
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if a, err := netip.ParseAddr(name); err == nil && a.Zone() == "" && a.Unmap().IsLoopback() {
		return true
	}
	for _, known := range h {
		if name != "" && name == strings.ToLower(known) {
			return true
		}
	}
	return false
}

// Guard passes on the requests whose Host is accepted.
func (h Hosts) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.Accepts(r.Host) {
			w.Header().Set("Referrer-Policy", "no-referrer")
			http.Error(w, "this proxy does not answer to that host name (--host)", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostForm reports whether a name or address in lower case holds nothing but what
// names and addresses are made of. Origins and hosts come to stand in headers.
func hostForm(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-._:") == ""
}
