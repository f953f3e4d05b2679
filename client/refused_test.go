package client_test

import (
	"errors"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/csp"
	"encke/transports"
)

// A proxy that is full and says for how long is not waited for beyond GiveUp, and it is
// its word that is reported.
func TestFullProxy(t *testing.T) {
	url, sessions := startProxy(t, csp.Options{MaxSessions: 1})
	if _, err := sessions.Open(csp.Peer{}, csp.Key{1}); err != nil {
		t.Fatal(err)
	}
	d := &client.Dialer{Proxy: url, GiveUp: 5 * time.Second}
	defer d.Close()
	_, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
	var why *cause.Error
	if !errors.As(err, &why) || why.Code != cause.Limit || why.Retry != 10 {
		t.Errorf("%v, want limit and 10 s", err)
	}
}

// So is one that gets too many WebSockets of one address.
func TestTooManyWebSockets(t *testing.T) {
	url, _ := startLimited(t, csp.Options{}, transports.Options{AddressUpgrades: 1})
	for range 20 {
		d := &client.Dialer{Proxy: url, GiveUp: time.Second}
		defer d.Close()
		_, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
		var why *cause.Error
		switch {
		case errors.Is(err, cause.Denied.Err()): // port 1: the session was opened
		case errors.As(err, &why) && why.Code == cause.Limit && why.Retry > 0:
			return
		default:
			t.Fatalf("%v, want denied or limit", err)
		}
	}
	t.Error("20 WebSockets at once are opened, want 5")
}
