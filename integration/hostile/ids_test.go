package hostile

import (
	"strings"
	"testing"

	"encke/cause"
)

// leakedIDs are requests of other pages that have got hold of a live session's id: to
// read it, to write into it, to end it, or to make it lose its link.
func leakedIDs(t *testing.T, r *rig) (all []attack) {
	id := r.open(t, listed)
	r.alive(t, id, 0)                       // from now on it waits for its next request for two minutes
	t.Cleanup(func() { r.alive(t, id, 0) }) // nothing got in, and it is not over
	for what, records := range map[string]string{
		"read":              resume(id, 0),
		"write":             resume(id, 0) + seq(1) + data("eViL"),
		"end":               resume(id, 0) + "\x0a\x00\x00\x00",
		"end by a fault":    resume(id, 0) + "\x7f",
		"end by an ack":     resume(id, 99),
		"end the stream":    resume(id, 0) + seq(1) + "\x06",
		"send a gap":        resume(id, 0) + seq(40) + data("eViL"),
		"probe":             resume(id, 0) + "\x08",
		"close with a text": resume(id, 0) + "\x0a\x01\x00" + "\x04eViL",
	} {
		for _, e := range endpoints {
			q := e.plain(r, records).query("to=" + strings.ReplaceAll(what, " ", "+"))
			denied := e.refusal(403, cause.Denied, "the session belongs to another origin")
			for page, origin := range map[string]string{"another listed page": another, "a page below the wildcard": "https://a.wild.test", "the proxy's own page": "http://" + r.addr} {
				p, want := q.with("Origin", origin).without("Sec-Fetch-Site"), denied
				if e.get {
					p = p.without("Origin").with("Referer", origin+"/")
				}
				if want.allow != "" {
					want.allow = origin
				}
				want.body = strings.Replace(want.body, listed, origin, 1)
				if e.ws() && what == "end by a fault" {
					want = e.refusal(0, cause.ProtocolError, "unknown record type 0x7f") // said before the session is looked for
				}
				all = append(all, attack{name: e.name + ": " + what + ", by " + page, request: p, want: want})
			}
			p := q.with("Origin", "https://eViL.test").without("Referer")
			p.behind = ""
			all = append(all, attack{name: e.name + ": " + what + ", by a foreign page", request: ended(p), want: foreign})
			p = q.with("Origin", "null").without("Referer")
			p.behind = ""
			all = append(all, attack{name: e.name + ": " + what + ", by a sandboxed page", request: ended(p), want: foreign})
		}
	}
	return all
}

// guessedIDs are ids that a client made up: guesses, and ids that an attacker wants the
// proxy to take over for a victim's session.
func guessedIDs(t *testing.T, r *rig) (all []attack) {
	id := r.open(t, listed)
	r.alive(t, id, 0) // from now on it waits for its next request for two minutes
	t.Cleanup(func() { r.alive(t, id, 0) })
	for what, guess := range guesses(id) {
		for _, e := range endpoints {
			q := e.plain(r, resume(guess, 0)+seq(1)+data("eViL"))
			all = append(all, attack{name: e.name + ": id " + what, request: q, want: e.refusal(404, cause.SessionLost, "unknown session")})
		}
	}
	return all
}

// guesses are ids that are not id, though some come close.
func guesses(id string) map[string]string {
	random := strings.TrimPrefix(id, "n0.")
	return map[string]string{
		"empty":                     "",
		"of the right form":         "n0.AAAAAAAAAAAAAAAAAAAAAA",
		"chosen by an attacker":     "n0.eViLeViLeViLeViLeViL00",
		"without the node":          random,
		"of another node":           "n1." + random,
		"without the random part":   "n0.",
		"one character less":        id[:len(id)-1],
		"one character more":        id + "A",
		"with padding":              id + "==",
		"in capitals":               strings.ToUpper(id),
		"with a space behind":       id + " ",
		"with a NUL behind":         id + "\x00",
		"with a line end behind":    id + "\r\n",
		"with a slash before":       "/" + id,
		"a star":                    "n0.*",
		"a pattern":                 "n0.%",
		"a path":                    "../../etc/passwd",
		"a query language":          "' OR '1'='1",
		"markup":                    "<script>eViL()</script>",
		"a number":                  "1",
		"not UTF-8":                 "\xff\xfe\xfd",
		"another language":          "ⅾеёд",
		"4,000 characters":          strings.Repeat("eViL", 1000),
		"twice":                     id + "," + id,
		"the key instead of the id": fresh()[2:],
	}
}
