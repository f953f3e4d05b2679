package servers_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"encke/integration/servers"
)

// Each server answers its own protocol, and runs without privileges.
func TestServers(t *testing.T) {
	for _, test := range []struct {
		name  string
		start func(testing.TB) *servers.Server
		say   string
		hear  string
	}{
		{"ngircd", servers.Ngircd, "PING x\r\n", ":irc.test.local"},
		{"prosody", func(t testing.TB) *servers.Server { return servers.Prosody(t, "alice", "bob") },
			"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
			"PLAIN"},
		{"activemq", servers.ActiveMQ, "CONNECT\naccept-version:1.2\nhost:x\n\n\x00", "CONNECTED"},
		{"mosquitto", servers.Mosquitto, "\x10\x1c\x00\x04MQTT\x04\xc2\x00\x3c\x00\x00\x00\x05alice\x00\x07secret1", "\x20\x02\x00\x00"},
		{"redis", servers.Redis, "AUTH pw1\r\n", "+OK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.start(t)
			conn, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // a guard against hanging
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, test.say); err != nil {
				t.Fatal(err)
			}
			heard := ""
			for r := bufio.NewReader(conn); !strings.Contains(heard, test.hear); {
				b, err := r.ReadByte()
				if err != nil {
					t.Fatalf("heard %q, then %v; want %q", heard, err, test.hear)
				}
				heard += string(b)
			}
			if s.UID == 0 {
				t.Error("it runs as root")
			}
		})
	}
}

func TestBalancers(t *testing.T) {
	site := func(name string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, name, " ", r.URL.Path)
		}))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for name, start := range map[string]func(t testing.TB, path, proxy, web string) *servers.Server{"haproxy": servers.HAProxy, "nginx": servers.Nginx} {
		s := start(t, "/tcp", site("proxy"), site("web"))
		for path, want := range map[string]string{"/tcp/x": "proxy /tcp/x", "/tcpx": "web /tcpx", "/": "web /"} {
			resp, err := http.Get("http://" + s.Addr() + path)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(got) != want {
				t.Errorf("%s, %s: got %q, want %q", name, path, got, want)
			}
		}
	}
}

// A server leaves nothing behind when its test ends.
func TestStop(t *testing.T) {
	var s *servers.Server
	t.Run("run", func(t *testing.T) { s = servers.Redis(t) })
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		_ = conn.Close()
		t.Error("it still accepts connections")
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("its directory is still there: %v", err)
	}
}
