package hostile

import (
	"strings"
	"sync"
	"testing"
)

// attack is one hostile request and what must come of it.
type attack struct {
	name string
	request
	wire   string                         // instead of request: the bytes as they are
	on     func(id string) request        // instead of request: for a session that is opened right before it
	opened func(*rig, *testing.T) string  // opens that; nil: rig.open, for a page of the listed origin
	over   func(*rig, *testing.T, string) // shows that the attack has ended the session; nil: it is not looked at
	want   answer
}

// bytes returns what goes over the wire when id is a session of the listed origin.
func (a attack) bytes(id string) string {
	switch {
	case a.wire != "":
		return a.wire
	case a.on != nil:
		return string(a.on(id).bytes())
	}
	return string(a.request.bytes())
}

// family makes attacks against a rig, whose address, sessions and backend they may name.
type family func(t *testing.T, r *rig) []attack

var families = map[string]family{
	"origin":        foreignOrigins,
	"referer":       foreignReferers,
	"host":          foreignHosts,
	"leaked id":     leakedIDs,
	"guessed id":    guessedIDs,
	"method":        wrongMethods,
	"variable":      wrongVariables,
	"callback":      wrongCallbacks,
	"base64":        wrongBase64,
	"record":        wrongRecords,
	"frame":         wrongFrames,
	"body":          wrongBodies,
	"injection":     injections,
	"upgrade":       wrongUpgrades,
	"older socket":  olderWebSockets,
	"older request": olderRequests,
	"older id":      olderIDs,
	"older method":  olderMethods,
	"older body":    olderBodies,
	"older file":    olderFiles,
	"echo":          wrongEchoes,
	"number":        wrongNumbers,
	"batch":         wrongBatches,
	"packet":        wrongPackets,
	"file":          wrongFiles,
	"smuggling":     smuggling,
	"head":          wrongHeads,
	"forwarded by":  forwarded,
}

// enough is how many attacks there must be at least; a family that falls away is noticed.
const enough = 400

// TestHostileRequests makes every attack and looks at what it left behind. Each family
// has a proxy of its own.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := make(map[string]string) // names by what goes over the wire
	t.Run("family", func(t *testing.T) {
		for family, make := range families {
			t.Run(family, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				attacks := make(t, r)
				for _, a := range attacks {
					mu.Lock()
					same := strings.ReplaceAll(a.bytes("ID"), r.addr, "ADDR")
					first, again := seen[same]
					seen[same] = family + "/" + a.name
					mu.Unlock()
					if again {
						t.Errorf("%s is the same request as %s", a.name, first)
					}
					t.Run(a.name, func(t *testing.T) { r.suffer(t, a) })
				}
				if strings.Contains(r.log.String(), "\nforged") {
					t.Error("a request forged a line in the log")
				}
				t.Logf("%d requests", len(attacks))
			})
		}
	})
	t.Logf("%d distinct hostile requests", len(seen))
	if len(seen) < enough {
		t.Errorf("%d distinct hostile requests, want at least %d", len(seen), enough)
	}
}

// suffer makes one attack.
func (r *rig) suffer(t *testing.T, a attack) {
	t.Helper()
	id := ""
	switch {
	case a.opened != nil:
		id = a.opened(r, t)
	case a.on != nil:
		id = r.open(t, listed)
	}
	wire := a.bytes(id)
	before := r.app.Stats()
	dialled := r.backend.Open()
	got, err := exchange(r.addr, strings.SplitN(wire, " ", 2)[0], []byte(wire))
	if err != nil {
		t.Errorf("the connection ended with: %v", err)
	}
	for _, problem := range a.want.check(got) {
		t.Error(problem)
	}
	r.beat(t)
	after := r.app.Stats()
	if n := after.Sessions.Opened - before.Sessions.Opened; n != uint64(a.want.opened) {
		t.Errorf("%d sessions were made, want %d", n, a.want.opened)
	}
	if after.Sockets.Opened != before.Sockets.Opened {
		t.Error("a socket was asked for")
	}
	if now := r.backend.Open(); now != dialled {
		t.Errorf("the backend has %d connections, want %d", now, dialled)
	}
	if a.over != nil {
		a.over(r, t, id)
	}
	if t.Failed() {
		t.Logf("the request was %.400q", wire)
	}
}
