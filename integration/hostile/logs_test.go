package hostile

import (
	"strings"
	"testing"

	"encke/cause"
	"encke/tcpsocket"
)

// TestLogTellsNothing: at the most talkative level the log holds no payload and no session
// id, what strangers wrote is quoted in one line, and nobody can write a line of his own.
func TestLogTellsNothing(t *testing.T) {
	r := newRig(t)
	p := visit(t, r.addr, listed)
	const forged = "\nlevel=INFO msg=forged"
	hosts := []string{"a" + forged, "a\r" + forged, "a\u2028" + forged, "a\x00" + forged, "a\x1b[2J" + forged, "a\" msg=forged \"", "a\\" + forged, "a\x9b" + forged, strings.Repeat("long", 900) + forged}
	for i, host := range hosts {
		p.refused(uint64(i+1), host, 80, cause.BadTarget)
	}
	p.refused(100, "denied.test", 80, cause.Denied)
	if f := p.open(101, r.backend.Host(), uint64(r.backend.Port())); f.Type != tcpsocket.Opened {
		t.Fatalf("%+v", f)
	}
	const secret = "correct horse battery staple"
	p.say(tcpsocket.Frame{Type: tcpsocket.Data, Socket: 101, Data: []byte(secret)})
	for got := ""; got != secret; {
		got += string(p.hear().Data)
	}
	p.say(tcpsocket.Frame{Type: tcpsocket.Reset, Socket: 101})
	p.say(tcpsocket.Frame{Type: tcpsocket.Open, Socket: 102}) // is answered when the reset was logged
	for p.hear().Socket != 102 {
	}
	for _, origin := range []string{"https://eViL.test/\" msg=forged x=\"", "https://" + strings.Repeat("a", 5000) + ".test"} {
		q := endpoints[1].plain(r, "").with("Origin", origin)
		if got, err := exchange(r.addr, "POST", q.bytes()); err != nil || len(got) != 1 || got[0].StatusCode != 403 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	log := r.log.String()
	if !strings.Contains(log, "denied.test") || !strings.Contains(log, "origin refused") {
		t.Fatalf("the log is not about this: %s", log)
	}
	for _, s := range []string{secret, p.id, strings.TrimPrefix(p.id, "n0.")} {
		if strings.Contains(log, s) {
			t.Errorf("%q is in the log", s)
		}
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, " msg=forged") && !strings.Contains(line, `\" msg=forged`) && !strings.Contains(line, `\nlevel=INFO msg=forged`) {
			t.Errorf("a line of somebody else's: %q", line)
		}
		if len(line) > 2000 {
			t.Errorf("a line of %d bytes: %.200q...", len(line), line)
		}
		for i := range len(line) - 1 {
			if c := line[i]; c < ' ' || c == 0x7f {
				t.Errorf("byte 0x%02x in a line: %q", c, line)
				break
			}
		}
	}
}
