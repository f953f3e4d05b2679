package hostile

import (
	"net"
	"strings"
	"testing"
)

// foreigners are Origin headers that no page of a listed origin has.
func foreigners(r *rig) []struct{ name, origin string } {
	_, port, _ := net.SplitHostPort(r.addr)
	return []struct{ name, origin string }{
		{"another site", "https://eViL.test"},
		{"the word null", "null"},
		{"null in capitals", "NULL"},
		{"nothing", ""},
		{"a space", " "},
		{"a star", "*"},
		{"listed behind a comma", "https://eViL.test, " + listed},
		{"listed before a comma", listed + ", https://eViL.test"},
		{"listed twice in one header", listed + " " + listed},
		{"listed then another, as RFC 6454 lists", listed + " https://eViL.test"},
		{"another scheme", "http://www.listed.test"},
		{"ftp", "ftp://www.listed.test"},
		{"wss", "wss://www.listed.test"},
		{"file", "file://www.listed.test"},
		{"an extension", "chrome-extension://eViLeViLeViLeViL"},
		{"blob", "blob:" + listed},
		{"data", "data:text/html,eViL"},
		{"javascript", "javascript://www.listed.test/%0aeViL"},
		{"no scheme", "www.listed.test"},
		{"only slashes", "//www.listed.test"},
		{"another port", listed + ":444"},
		{"the port of http", listed + ":80"},
		{"a port with a zero before it", listed + ":0443"},
		{"port 0", listed + ":0"},
		{"a negative port", listed + ":-443"},
		{"a port that overflows to 443", listed + ":65979"},
		{"a port that is no number", listed + ":eViL"},
		{"user information", "https://eViL@www.listed.test"},
		{"listed as user information", listed + "@eViL.test"},
		{"listed as user and port as password", listed + ":443@eViL.test"},
		{"a dot behind the name", listed + "."},
		{"two dots behind the name", listed + ".."},
		{"a dot before the name", "https://.www.listed.test"},
		{"listed is a prefix", listed + ".eViL.test"},
		{"listed is a prefix without a dot", listed + "eViL"},
		{"listed is a suffix", "https://eViLwww.listed.test"},
		{"below the listed one", "https://eViL.www.listed.test"},
		{"above the listed one", "https://listed.test"},
		{"listed in the middle", "https://eViL.www.listed.test.eViL.test"},
		{"listed as path", "https://eViL.test/" + listed},
		{"listed as query", "https://eViL.test?" + listed},
		{"listed as fragment", "https://eViL.test#" + listed},
		{"a backslash before listed", `https://eViL.test\@www.listed.test`},
		{"a backslash behind listed", listed + `\.eViL.test`},
		{"a slash behind it", listed + "/"},
		{"a path behind it", listed + "/eViL"},
		{"an empty query behind it", listed + "?"},
		{"an empty fragment behind it", listed + "#"},
		{"a Cyrillic letter", "https://www.listеd.test"},
		{"full-width dots", "https://www．listed．test"},
		{"ideographic dots", "https://www。listed。test"},
		{"a zero-width space", "https://www.listed.test\u200b"},
		{"a soft hyphen", "https://www.lis\u00adted.test"},
		{"a dotless i", "https://www.lısted.test"},
		{"a long s", "https://www.li\u017fted.test"},
		{"percent-encoded dots", "https://www%2elisted%2etest"},
		{"percent-encoded ideographic dots", "https://www%e3%80%82listed%e3%80%82test"},
		{"a percent-encoded NUL", listed + "%00.eViL.test"},
		{"a tab inside", "https://www.listed\t.test"},
		{"bytes that are not UTF-8", listed + "\xff\xfe"},
		{"a dot for any character", "https://wwwxlisted.test"},
		{"above the wildcard", "https://wild.test"},
		{"two labels for the wildcard", "https://a.eViL.wild.test"},
		{"no dot before the wildcard's name", "https://eViLwild.test"},
		{"no label for the wildcard", "https://.wild.test"},
		{"the wildcard as it is written", wild},
		{"the wildcard with another scheme", "http://a.wild.test"},
		{"the wildcard with another port", "https://a.wild.test:8443"},
		{"the wildcard as prefix", "https://a.wild.test.eViL.test"},
		{"a slash in the wildcard's label", "https://eViL.test/.wild.test"},
		{"an @ in the wildcard's label", "https://eViL@a.wild.test"},
		{"a colon in the wildcard's label", "https://eViL:1.wild.test"},
		{"the proxy's own with https", "https://" + r.addr},
		{"the proxy's own with another port", "http://127.0.0.1:1"},
		{"the proxy's own without port", "http://127.0.0.1"},
		{"the proxy's own by another name", "http://localhost:" + port},
		{"the proxy's own in decimal", "http://2130706433:" + port},
		{"the proxy's own in hex", "http://0x7f000001:" + port},
		{"the proxy's own in octal", "http://0177.0.0.1:" + port},
		{"the proxy's own in short form", "http://127.1:" + port},
		{"the proxy's own in IPv6", "http://[::1]:" + port},
		{"the proxy's own mapped into IPv6", "http://[::ffff:127.0.0.1]:" + port},
		{"the unspecified address", "http://0.0.0.0:" + port},
		{"the proxy's own with user information", "http://eViL@" + r.addr},
		{"4,000 letters", "https://" + strings.Repeat("eViL", 1000) + ".test"},
	}
}

// foreignOrigins are requests of pages that are not listed, at each endpoint, and
// preflights of such pages.
func foreignOrigins(_ *testing.T, r *rig) (all []attack) {
	for _, e := range endpoints {
		good := e.plain(r, fresh())
		for _, f := range foreigners(r) {
			q := good.with("Origin", f.origin)
			q.behind = ""
			if f.origin == "" || f.origin == " " {
				q = q.without("Referer") // what is empty must not be passed over
			}
			all = append(all, attack{name: e.name + ": " + f.name, request: ended(q), want: foreign})
		}
		for name, second := range map[string]string{"twice the same": listed, "and another": "https://eViL.test", "and null": "null", "and nothing": ""} {
			q := good.with("Origin", listed).adding("Origin: " + second)
			q.behind = ""
			all = append(all,
				attack{name: e.name + ": listed, " + name, request: ended(q), want: foreign},
				attack{name: e.name + ": listed, " + name + ", HTTP/1.0", wire: strings.Replace(string(ended(q).bytes()), "HTTP/1.1", "HTTP/1.0", 1), want: foreign})
		}
		none := good.without("Origin").without("Referer").without("Sec-Fetch-Site")
		none.behind = ""
		all = append(all, attack{name: e.name + ": no Origin, no Referer, no Sec-Fetch-Site", request: ended(none), want: foreign})
		if !e.get {
			for _, site := range []string{"same-origin", "same-site", "cross-site", "none"} {
				q := none.adding("Sec-Fetch-Site: " + site).adding("Referer: " + listed + "/page")
				all = append(all, attack{name: e.name + ": no Origin, but " + site + " and a listed Referer", request: ended(q), want: foreign})
			}
		}
		for _, f := range foreigners(r)[:3] {
			q := request{method: "OPTIONS", target: "/session/" + e.name, fields: []string{"Host: " + r.addr, "Origin: " + f.origin,
				"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-eViL", "Access-Control-Request-Private-Network: true"}}
			all = append(all, attack{name: e.name + ": preflight of " + f.name, request: ended(q), want: foreign})
		}
	}
	return all
}

// ended makes the connection end with the answer, whatever it is.
func ended(q request) request {
	if q.has("Upgrade") {
		return q.with("Connection", "Upgrade, close")
	}
	return q.with("Connection", "close")
}

// foreignReferers are requests that browsers send without an Origin: a foreign page's
// script tags, frames and images.
func foreignReferers(_ *testing.T, r *rig) (all []attack) {
	for _, e := range those(func(e endpoint) bool { return e.get }) {
		good := e.plain(r, fresh())
		for _, site := range []string{"", "cross-site", "same-site", "none", "eViL", "SAME-ORIGIN", "same-origin, cross-site", "same origin"} {
			base := good.without("Referer").without("Sec-Fetch-Site")
			says := "no Sec-Fetch-Site"
			if site != "" {
				base, says = base.adding("Sec-Fetch-Site: "+site), "Sec-Fetch-Site "+site
			}
			for _, referer := range []struct{ name, value string }{
				{"no Referer", "-"},
				{"an empty Referer", ""},
				{"about:blank", "about:blank"},
				{"another site", "https://eViL.test/"},
				{"listed in the path", "https://eViL.test/" + listed + "/"},
				{"listed in the query", "https://eViL.test/?" + listed},
				{"listed in the fragment", "https://eViL.test/#" + listed},
				{"listed as user", listed + "@eViL.test/"},
				{"listed as prefix", listed + ".eViL.test/"},
				{"listed with another scheme", "http://www.listed.test/"},
				{"listed with another port", listed + ":8443/"},
				{"listed without scheme", "//www.listed.test/"},
				{"listed as path alone", "/www.listed.test/"},
				{"the proxy with another port", "http://127.0.0.1:1/"},
				{"a data URL", "data:text/html,eViL"},
				{"broken escapes", "https://www.listed.test%zz/"},
				{"a wildcard's parent", "https://wild.test/"},
				{"a wildcard's grandchild", "https://a.b.wild.test/"},
			} {
				q := base
				if referer.value != "-" {
					q = q.adding("Referer: " + referer.value)
				}
				all = append(all, attack{name: e.name + ": " + says + ", " + referer.name, request: q, want: foreign})
			}
		}
	}
	return all
}
