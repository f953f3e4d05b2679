package hostile

import (
	"bufio"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"encke/cause"
	"encke/cmd/encke/app"
)

// spelling is a line of whitelist/testdata/hosts.txt: a way to write a host.
type spelling struct {
	host    string
	outcome string // bad, ok, or the class of its address
	plain   string // canonical form
}

func (s spelling) address() bool {
	_, err := netip.ParseAddr(s.plain)
	return err == nil
}

func spellings(t *testing.T) (all []spelling) {
	t.Helper()
	file, err := os.Open("../../whitelist/testdata/hosts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		quoted, err := strconv.QuotedPrefix(lines.Text())
		if err != nil {
			continue // a comment
		}
		host, _ := strconv.Unquote(quoted)
		fields := append(strings.Fields(lines.Text()[len(quoted):]), "")
		all = append(all, spelling{host, fields[0], fields[1]})
	}
	return all
}

// openings is how many sockets one session asks for, so that no limit of a session
// answers instead of the rules.
const openings = 20

// TestSpellings opens every spelling of a host through the running proxy: under a rule
// for another host, where not even a name server is asked, and under the widest rule
// there is, with every name pointing at the loopback address. Nothing is dialled: a
// listener on every address of this machine would see it.
func TestSpellings(t *testing.T) {
	names := newNameServer(t)
	canary := newCanary(t)
	port := strconv.Itoa(canary.port)
	all := spellings(t)
	for _, s := range all {
		if s.outcome != "bad" && !s.address() {
			names.Set(s.plain, []string{"127.0.0.1", "::1"})
		}
	}
	for _, rules := range []struct {
		name string
		app.Config
		want func(spelling) (cause.Code, bool)
	}{
		{"a rule for another host", app.Config{Allow: []string{"allowed.test:" + port}}, func(s spelling) (cause.Code, bool) {
			return cause.Denied, true
		}},
		{"rules for every port of another host, and for every host at another port", app.Config{Allow: []string{"allowed.test:*", "*:2"}, AllowAnyHost: true}, func(s spelling) (cause.Code, bool) {
			return cause.Denied, true
		}},
		{"the widest rule", app.Config{Allow: []string{"*:*"}, AllowAnyHost: true}, func(s spelling) (cause.Code, bool) {
			return cause.Denied, !s.address() || s.outcome != "ok" // a public address is what the rule allows
		}},
	} {
		t.Run(rules.name, func(t *testing.T) {
			addr := start(t, rules.Config).Addr().String()
			tried := 0
			var p *page
			before := names.Total()
			for _, s := range all {
				want, ok := rules.want(s)
				if !ok {
					continue
				}
				if s.outcome == "bad" {
					want = cause.BadTarget
				}
				if tried%openings == 0 {
					if p != nil {
						p.leave()
					}
					p = visit(t, addr, "http://"+addr)
				}
				tried++
				p.refused(uint64(tried), s.host, uint64(canary.port), want)
			}
			if n := names.Total() - before; rules.name != "the widest rule" && n > 0 {
				t.Errorf("a name server was asked %d times about names that no rule has", n)
			}
			t.Logf("%d spellings", tried)
			if tried < 250 {
				t.Errorf("%d spellings, want at least 250", tried)
			}
			canary.check(t)
		})
	}
}
