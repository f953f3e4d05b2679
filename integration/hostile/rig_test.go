package hostile

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"encke/client"
	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/backend"
	"encke/integration/inprocess"
	"encke/transports"
)

// Origins and names that the proxy of a rig knows.
const (
	listed  = "https://www.listed.test"
	another = "http://other.listed.test:8080"
	wild    = "https://*.wild.test" // as the operator writes it
	name    = "proxy.listed.test"
)

// rig is a running proxy, and beside it what must not be harmed and what must not be
// touched.
type rig struct {
	app     *app.App
	addr    string           // of the proxy
	backend *backend.Backend // that its rules allow
	log     *inprocess.Log
	canary  *canary  // that they do not
	healthy net.Conn // a socket of a session that goes on all the time
	beats   byte
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigWith(t, app.Limits{})
}

func newRigWith(t *testing.T, limits app.Limits) *rig {
	t.Helper()
	r := &rig{backend: backend.Echo(t), log: new(inprocess.Log), canary: newCanary(t)}
	cfg := app.Config{
		Allow:      []string{r.backend.Addr()},
		Origins:    []string{listed, another, wild},
		Hosts:      []string{name},
		Transports: transports.All(),
		Limits:     limits,
		Log:        slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	serveOlder(&cfg, r.backend)
	r.app = start(t, cfg)
	r.addr = r.app.Addr().String()
	dialer := &client.Dialer{Proxy: r.app.URL()}
	t.Cleanup(func() { dialer.Close() })
	var err error
	if r.healthy, err = dialer.DialContext(t.Context(), "tcp", r.backend.Addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.healthy.Close() })
	r.beat(t) // the backend has accepted it
	return r
}

// start runs a proxy on a port of its own until t ends. Thousands of attacks come from
// one address, so its limits are off unless cfg sets them.
func start(t *testing.T, cfg app.Config) *app.App {
	t.Helper()
	for _, limit := range []*int{&cfg.AddressConnections, &cfg.AddressSessions, &cfg.AddressHandshakes, &cfg.AddressUpgrades, &cfg.AddressSockets, &cfg.AddressRequests} {
		if *limit == 0 {
			*limit = -1
		}
	}
	return inprocess.Start(t, cfg)
}

// beat sends a byte through the healthy session and waits for its echo.
func (r *rig) beat(t *testing.T) {
	t.Helper()
	r.beats++
	var got [1]byte
	r.healthy.SetDeadline(time.Now().Add(patience))
	if _, err := r.healthy.Write([]byte{r.beats}); err != nil {
		t.Fatalf("the session beside it is harmed: %v", err)
	}
	if _, err := io.ReadFull(r.healthy, got[:]); err != nil || got[0] != r.beats {
		t.Fatalf("the session beside it is harmed: it got %d, %v, want %d", got[0], err, r.beats)
	}
}

// open makes a session for a page of this origin and returns its id.
func (r *rig) open(t *testing.T, origin string) string {
	t.Helper()
	id, _ := r.send(t, origin, fresh())
	if id == "" {
		t.Fatal("no session was opened")
	}
	return id
}

// send posts records for a page of this origin. It returns the id in the answer's
// WELCOME, if there is one, and the other records.
func (r *rig) send(t *testing.T, origin, records string) (id string, rest []csp.Record) {
	t.Helper()
	e := endpoint{name: "send", method: "POST"}
	got, err := exchange(r.addr, "POST", e.plain(r, records).with("Origin", origin).bytes())
	if err != nil || len(got) != 1 {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	_, err = csp.Parse([]byte(got[0].text), 0, func(rec *csp.Record) error {
		if rec.Kind == csp.Welcome {
			id = string(rec.Session)
		} else {
			rest = append(rest, *rec)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%d %q: %v", got[0].StatusCode, got[0].text, err)
	}
	return id, rest
}

// alive checks that a session of the listed origin lives and has received got packets.
func (r *rig) alive(t *testing.T, id string, got uint64) {
	t.Helper()
	if _, recs := r.send(t, listed, resume(id, 0)); len(recs) != 1 || recs[0].Kind != csp.Ack || recs[0].ID != got {
		t.Errorf("the session answers %v, want ACK %d", recs, got)
	}
}

// canary is a listener that nobody may connect to.
type canary struct {
	addr    string
	port    int
	touched atomic.Int32
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	ln, err := net.Listen("tcp", ":0") // every address of this machine
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	c := &canary{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), port: port}
	var done sync.WaitGroup
	done.Go(func() { // until the listener is closed
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			c.touched.Add(1)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		ln.Close()
		done.Wait()
		c.check(t)
	})
	return c
}

func (c *canary) check(t *testing.T) {
	t.Helper()
	if n := c.touched.Load(); n > 0 {
		t.Errorf("a target that no rule allows was dialled %d times", n)
	}
}
