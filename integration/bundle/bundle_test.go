package bundle_test

import (
	"bytes"
	"testing"

	"encke/integration/bundle"
)

func TestClients(t *testing.T) {
	for _, name := range []string{"irc", "xmpp", "stomp", "mqtt", "redis"} {
		script, err := bundle.Client(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Contains(script, []byte("new TCPSocket(")) {
			t.Errorf("%s does not use TCPSocket", name)
		}
		t.Logf("%s: %d bytes", name, len(script))
	}
	if _, err := bundle.Client("nobody"); err == nil {
		t.Error("a client that is not there was bundled")
	}
}

func TestModules(t *testing.T) {
	for _, name := range []string{"wisp", "libcurl", "novnc", "neon"} {
		if _, err := bundle.Module(name); err != nil {
			t.Error(err)
		}
	}
}
