package hostile

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
	"encke/tcpsocket"
)

// claims are headers in which a client says that it is somebody else.
func claims(address string) []string {
	return []string{
		"X-Forwarded-For: " + address, "X-Forwarded-For: " + address + ", 127.0.0.1", "Forwarded: for=" + address, "X-Real-IP: " + address,
	}
}

// TestClaimedAddresses: headers that say where a request comes from are believed from a
// trusted balancer only, and of what it hands on only what it added itself. Another peer
// neither gets its claim into the audit log nor around what one address may have.
func TestClaimedAddresses(t *testing.T) {
	const claimed = "203.0.113."
	forged := func(address string) []string { return []string{"X-Forwarded-For: " + address + ", 198.51.100.1"} }
	for _, c := range []struct {
		name     string
		trusted  []string
		claims   func(address string) []string
		believed bool
	}{
		{"from anyone", nil, claims, false},
		{"from another peer", []string{"10.0.0.0/8"}, claims, false},
		{"from a client of the trusted balancer", []string{"127.0.0.0/8"}, forged, false},
		{"from the trusted balancer", []string{"127.0.0.0/8"}, claims, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := new(inprocess.Log)
			a := start(t, app.Config{
				Allow: []string{"127.0.0.1:1"}, Origins: []string{listed}, Log: slog.New(slog.NewTextHandler(log, nil)),
				Limits: app.Limits{AddressSessions: 2, TrustedProxies: c.trusted},
			})
			r := &rig{app: a, addr: a.Addr().String()}
			e := endpoint{name: "send", method: "POST"}
			open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 16, Host: []byte("denied.test"), Port: 80}
			opened, refused := 0, 0
			for i := range 20 {
				all := c.claims(claimed + strconv.Itoa(i))
				q := e.plain(r, fresh()+seq(1)+data(string(open.Append(nil)))).adding(all[i%len(all)])
				got, err := exchange(r.addr, "POST", q.bytes())
				if err != nil || len(got) != 1 {
					t.Fatal(got, err)
				}
				switch got[0].StatusCode {
				case http.StatusOK:
					opened++
				case http.StatusTooManyRequests:
					refused++
				default:
					t.Errorf("%.200q: status %d", q.bytes(), got[0].StatusCode)
				}
			}
			if want := map[bool]int{true: 20, false: 2}[c.believed]; opened != want || opened+refused != 20 {
				t.Errorf("%d sessions were opened and %d refused, want %d opened", opened, refused, want)
			}
			a.Close() // the log is complete
			if said := strings.Contains(log.String(), claimed); said != c.believed {
				t.Errorf("claimed addresses in the log: %v\n%s", said, log)
			}
		})
	}
}
