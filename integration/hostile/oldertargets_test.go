package hostile

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"encke/csp"
)

// framing is a way in which older clients ask for a socket, and what they are told.
type framing struct {
	name                       string
	ask                        func(host string, port int) string // the stream
	connected, denied, invalid string                             // what comes back
	port                       string                             // what does for a port that is none
}

// framings are those that the Comet Session Protocol carries.
var framings = []framing{
	{
		"line", func(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) + "\n" },
		"1", "0106", "0102", "0102",
	},
	{
		"orbited08", func(host string, port int) string {
			frame := fmt.Sprintf("1,0%s,%d", host, port)
			return fmt.Sprintf("%d:%s", len(frame), frame)
		},
		"3:1,0", "6:1,1106", "6:1,1102", "6:1,1102",
	},
	{
		"orbited2", func(host string, port int) string {
			frame := fmt.Sprintf(`1,2,{"hostname":%s,"port":%d}`, quoted(host), port)
			return fmt.Sprintf("4,1,0,%d,%s", len(frame), frame)
		},
		"4,1,0,5,1,2,1", "4,1,0,35,1,1,Unauthorized remote destination", "4,1,0,28,1,1,Invalid hostname or port",
		"4,1,0,54,1,1,Invalid 'port' argument: it is a number in 1-65535",
	},
}

// target is a host and port that is not to be dialled.
type target struct {
	host    string
	port    int
	invalid bool
}

// forbidden are targets that no rule of the rig names, and ones that are none.
func forbidden(t *testing.T, r *rig) (all []target) {
	_, text, _ := net.SplitHostPort(r.addr)
	own, _ := strconv.Atoi(text)
	for _, s := range spellings(t) {
		if s.host != "" && !strings.ContainsAny(s.host, "[]") { // brackets are of the framing
			all = append(all, target{s.host, r.canary.port, s.outcome == "bad"})
		}
	}
	for _, host := range refusedRanges {
		all = append(all, target{host, r.canary.port, false})
	}
	return append(all,
		target{"127.0.0.1", own, false}, target{"localhost", own, false}, target{"169.254.169.254", 80, false}, target{"nowhere.test", 80, false},
		target{r.backend.Host(), r.backend.Port() + 1, false}, target{"127.0.0.2", r.backend.Port(), false}, target{"localhost", r.backend.Port(), false},
		target{r.backend.Host(), 0, true}, target{r.backend.Host(), 65536, true}, target{r.backend.Host(), -1, true}, target{r.backend.Host(), r.backend.Port() + 65536, true},
	)
}

// quoted is s as JSON has it, byte for byte.
func quoted(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

// packets is a batch of one packet with these bytes.
func packets(p string) string {
	return `[[1,1,"` + padded(p) + `"]]`
}

// heard asks until the session has said as much as want has, or is over, and returns that.
func (r *rig) heard(t *testing.T, id, want string) (got string) {
	t.Helper()
	for ack := uint64(0); len(got) < len(want); {
		text := r.askOlder(t, olderPost(r, fmt.Sprintf("/csp/comet?du=20&s=%s&a=%d", id, ack), "")).text
		before := ack
		err := csp.ParseText([]byte(strings.Trim(text, "()")), func(p *csp.Record) error {
			ack = p.ID
			got += string(p.Data)
			return nil
		})
		if err != nil || ack == before {
			t.Fatalf("%q, then %q: %v", got, text, err)
		}
	}
	return got
}

// TestOlderTargets asks for targets that are not allowed in every way in which a session of
// an older protocol can. Each is told the same for all that is denied, and nothing is dialled.
func TestOlderTargets(t *testing.T) {
	r := newRig(t)
	all := forbidden(t, r)
	dialled := r.backend.Open()
	t.Logf("%d targets in %d framings", len(all), len(framings))
	for _, f := range framings {
		t.Run(f.name, func(t *testing.T) {
			for _, d := range all {
				want := f.denied
				switch {
				case d.port != int(uint16(d.port)):
					want = f.port
				case d.invalid:
					want = f.invalid
				}
				if f.name == "line" && strings.Trim(d.host, "0123456789") == "" {
					continue // digits and a colon begin another framing
				}
				id := r.openCSP(t)
				if got := r.askOlder(t, olderPost(r, "/csp/send?s="+id, packets(f.ask(d.host, d.port)))); got.text != `("OK")` {
					t.Fatalf("%q: %d %q", d.host, got.StatusCode, got.text)
				}
				if got := r.heard(t, id, want); got != want {
					t.Errorf("%q at %d: the page is told %q, want %q", d.host, d.port, got, want)
				}
				r.askOlder(t, olderPost(r, "/csp/close?s="+id, ""))
			}
			r.canary.check(t)
			if now := r.backend.Open(); now != dialled {
				t.Errorf("the backend has %d connections, want %d", now, dialled)
			}
			r.beat(t)
		})
	}
	for _, f := range framings {
		id := r.openCSP(t)
		r.askOlder(t, olderPost(r, "/csp/send?s="+id, packets(f.ask(r.backend.Host(), r.backend.Port()))))
		if got := r.heard(t, id, f.connected); got != f.connected {
			t.Errorf("%s: of a target that is allowed the page is told %q, want %q", f.name, got, f.connected)
		}
	}
}

// TestOrbited07Targets is TestOlderTargets for connections below /tcp.
func TestOrbited07Targets(t *testing.T) {
	r := newRig(t)
	dialled := r.backend.Open()
	told := func(host string, port int) string {
		t.Helper()
		id := r.openTCP(t)
		line := padded(fmt.Sprintf("%s:%d\n", host, port))
		if got := r.askOlder(t, olderPost(r, "/tcp/"+id, fmt.Sprintf("11,114,data0%d,%s", len(line), line))); got.text != "OK" {
			t.Fatalf("%q: %d %q", host, got.StatusCode, got.text)
		}
		text := r.askOlder(t, olderGet(r, "/tcp/"+id+"/longpoll?ack=2")).text
		r.askOlder(t, olderPost(r, "/tcp/"+id, "11,205,close"))
		return text
	}
	for _, d := range forbidden(t, r) {
		if strings.HasSuffix(d.host, "\r") || strings.HasSuffix(d.host, "\n") {
			continue
		}
		want := "11,314,data08," + padded("0106")
		if d.invalid {
			want = "11,314,data08," + padded("0102")
		}
		if got := told(d.host, d.port); !strings.HasPrefix(got, want) {
			t.Errorf("%q at %d: the page is told %q, want %q", d.host, d.port, got, want)
		}
	}
	r.canary.check(t)
	if now := r.backend.Open(); now != dialled {
		t.Errorf("the backend has %d connections, want %d", now, dialled)
	}
	r.beat(t)
	if got, want := told(r.backend.Host(), r.backend.Port()), "11,314,data04,"+padded("1"); got != want {
		t.Errorf("of a target that is allowed the page is told %q, want %q", got, want)
	}
}
