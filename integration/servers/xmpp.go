package servers

import (
	"fmt"
	"testing"
)

// Prosody starts an XMPP server for the domain localhost with the given users, whose
// passwords are their names. It offers PLAIN without TLS: the page's client has no TLS.
func Prosody(t testing.TB, users ...string) *Server {
	t.Helper()
	s := daemon{
		command: "prosody",
		apt:     "prosody",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{"-F", "--config", dir + "/prosody.cfg.lua"}, nil, map[string]string{
				"prosody.cfg.lua": fmt.Sprintf(`data_path = %q
certificates = %[1]q
pidfile = %[1]q .. "/prosody.pid"
log = { info = "*console" }
interfaces = { "127.0.0.1" }
c2s_ports = { %[2]d }
c2s_direct_tls_ports = { }
s2s_ports = { }
http_ports = { }
https_ports = { }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping" }
modules_disabled = { "s2s" }
authentication = "internal_hashed"
limits = { }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
VirtualHost "localhost"
`, dir, port),
			}
		},
	}.start(t)
	ctl := daemon{command: "prosodyctl", apt: "prosody"}.find(t)
	for _, user := range users {
		cmd := s.command(ctl, []string{"--config", s.Dir + "/prosody.cfg.lua", "register", user, "localhost", user}, nil)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("register %s: %v\n%s", user, err, out)
		}
	}
	return s
}
