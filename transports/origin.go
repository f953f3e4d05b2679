package transports

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origins are the pages, other than the proxy's own, that may open sessions. The
// zero value has none.
type Origins struct {
	exact  []string // canonical
	suffix []wildcard
}

// wildcard is an entry https://*.example.org: exactly one label more.
type wildcard struct{ scheme, suffix string }

// ParseOrigins returns Origins with these entries: "https://example.org",
// "http://example.org:8080", "https://*.example.org" (exactly one label), or
// "null" (sandboxed and local pages; any site can make one).
func ParseOrigins(list ...string) (Origins, error) {
	var o Origins
	for _, s := range list {
		if s == "null" {
			o.exact = append(o.exact, s)
			continue
		}
		scheme, rest, _ := strings.Cut(s, "://")
		if after, ok := strings.CutPrefix(rest, "*."); ok {
			c, err := canonicalOrigin(scheme + "://x." + after)
			if err != nil {
				return o, fmt.Errorf("origin %q: %w", s, err)
			}
			o.suffix = append(o.suffix, wildcard{scheme, strings.TrimPrefix(c, scheme+"://x")})
			continue
		}
		c, err := canonicalOrigin(s)
		if err != nil {
			return o, fmt.Errorf("origin %q: %w", s, err)
		}
		o.exact = append(o.exact, c)
	}
	return o, nil
}

// hosts returns the listed origins as sources of a Content-Security-Policy.
func (o Origins) hosts() []string {
	out := slices.DeleteFunc(slices.Clone(o.exact), func(s string) bool { return s == "null" })
	for _, w := range o.suffix {
		out = append(out, w.scheme+"://*"+w.suffix)
	}
	return out
}

func (o Origins) listed(origin string) bool {
	if slices.Contains(o.exact, origin) {
		return true
	}
	for _, w := range o.suffix {
		label, ok := strings.CutPrefix(origin, w.scheme+"://")
		if !ok {
			continue
		}
		label, ok = strings.CutSuffix(label, w.suffix)
		if ok && label != "" && !strings.Contains(label, ".") {
			return true
		}
	}
	return false
}

// check returns the canonical origin of the page that made the request, or why it
// is refused. get says that browsers do not send Origin with this request for
// pages of the same origin.
func (o Origins) check(r *http.Request, get bool) (string, error) {
	switch values := r.Header.Values("Origin"); {
	case len(values) > 1:
		return "", errors.New("two Origin headers")
	case len(values) == 1:
		return o.accept(values[0], r)
	case !get:
		return "", errors.New("no Origin header")
	}
	same := r.Header.Get("Sec-Fetch-Site") == "same-origin"
	if u, err := url.Parse(r.Header.Get("Referer")); err == nil && u.Host != "" {
		if origin, err := o.accept(u.Scheme+"://"+u.Host, r); err == nil || !same {
			return origin, err
		}
	}
	if !same {
		return "", errors.New("neither Origin nor Referer")
	}
	own := ownOrigin(r)
	// Behind a balancer that ends TLS the page's origin is https, ours is http.
	if https, ok := strings.CutPrefix(own, "http://"); ok && o.listed("https://"+https) {
		return "https://" + https, nil
	}
	return own, nil
}

func (o Origins) accept(text string, r *http.Request) (string, error) {
	if text == "null" {
		if o.listed(text) {
			return text, nil
		}
		return "", errors.New("origin null is not listed")
	}
	origin, err := canonicalOrigin(text)
	if err != nil {
		return "", err
	}
	if text == namedOrigin(r) || origin == ownOrigin(r) || o.listed(origin) {
		return origin, nil
	}
	return "", errors.New("origin is not listed")
}

// ownOrigin is the origin of pages that this proxy itself serves, as the request
// names it. The host was checked against the list of our names before.
func ownOrigin(r *http.Request) string {
	origin, err := canonicalOrigin(namedOrigin(r))
	if err != nil {
		return ""
	}
	return origin
}

// namedOrigin is ownOrigin as the request writes it, which is how most pages do.
func namedOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// canonicalOrigin returns scheme://host[:port] in lower case without a default
// port (RFC 6454 section 4).
func canonicalOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("write it like https://www.example.org: http or https, host, and a port if it is not the default")
	case u.Host == "" || u.Hostname() == "" || strings.ContainsAny(u.Host, "*@ "):
		return "", errors.New("no host")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "#"):
		return "", errors.New("more than scheme, host and port")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if !hostForm(host) || strings.HasSuffix(u.Host, ":") {
		return "", errors.New("not the form of a host and a port")
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return u.Scheme + "://" + host, nil
	}
	return u.Scheme + "://" + host + ":" + port, nil
}
