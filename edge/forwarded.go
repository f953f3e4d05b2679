package edge

import (
	"net/http"
	"net/netip"
	"strings"
)

// Forwarded are the balancers whose word is believed about where requests come from.
type Forwarded []netip.Prefix

// Handler passes requests on with RemoteAddr set to the client's address. It is the
// peer's, unless the peer is a trusted balancer; then it is the right-most address of
// X-Forwarded-For, Forwarded or X-Real-IP that is no trusted balancer's. A malformed
// list, several of these headers that do not agree, and a list of balancers only say
// nothing: the address is the peer's. X-Forwarded-Proto and -Host are never used.
func (f Forwarded) Handler(next http.Handler) http.Handler {
	if len(f) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && contains(f, peer.Addr().Unmap()) {
			if a := f.client(r.Header); a.IsValid() {
				r.RemoteAddr = a.String()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// maxHops is how many addresses are looked at, from the right.
const maxHops = 32

// client returns the address that the headers agree on, or none.
func (f Forwarded) client(h http.Header) netip.Addr {
	var found netip.Addr
	for _, list := range [...][]string{
		split(h.Values("X-Forwarded-For")),
		forwardedFor(split(h.Values("Forwarded"))),
		split(h.Values("X-Real-Ip")),
	} {
		if len(list) == 0 {
			continue
		}
		a := f.rightmost(list)
		if !a.IsValid() || found.IsValid() && a != found {
			return netip.Addr{}
		}
		found = a
	}
	return found
}

// rightmost returns the last address that is no balancer's.
func (f Forwarded) rightmost(list []string) netip.Addr {
	for i := len(list) - 1; i >= 0 && len(list)-i <= maxHops; i-- {
		a := parse(list[i])
		if !a.IsValid() || !contains(f, a) {
			return a
		}
	}
	return netip.Addr{}
}

// parse reads an address, with or without port.
func parse(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone("")
}

// split returns the elements of a list that may be spread over several fields.
func split(values []string) []string {
	var all []string
	for _, v := range values {
		for e := range strings.SplitSeq(v, ",") {
			all = append(all, strings.Trim(e, " \t"))
		}
	}
	return all
}

// forwardedFor returns the for= parameters of elements of Forwarded (RFC 7239); an
// element that has none, or more than one, becomes malformed.
func forwardedFor(elements []string) []string {
	for i, e := range elements {
		elements[i] = ""
		found := 0
		for pair := range strings.SplitSeq(e, ";") {
			name, value, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.Trim(name, " \t"), "for") {
				elements[i] = strings.Trim(strings.Trim(value, " \t"), `"`)
				found++
			}
		}
		if found != 1 {
			elements[i] = ""
		}
	}
	return elements
}
