package app_test

import (
	"strings"
	"testing"
	"time"

	"encke/cmd/encke/app"
)

func TestBadSettingsAreAllNamed(t *testing.T) {
	bad := app.Config{
		Allow: []string{"irc.example.org", "*:80"}, AllowFiles: []string{"does-not-exist"},
		Origins: []string{"example.org"}, Hosts: []string{"http://x"}, Transports: []string{"udp"}, Listen: []string{"8000"},
		Prefix: "tcp/", Node: "a.b", Cert: "x", Linger: time.Hour * 48, MaxSockets: -1, Window: 5,
	}
	err := bad.Check()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{
		"irc.example.org", "*:80", "does-not-exist", `origin "example.org"`, "--host", `"udp"`, "--listen", "--prefix", "--node", "--cert", "--linger", "--max-sockets", "--window",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named in:\n%v", part, err)
		}
	}
	if _, err := app.Start(app.Config{}); err == nil || !strings.Contains(err.Error(), "--allow") {
		t.Errorf("started without a rule: %v", err)
	}
}
