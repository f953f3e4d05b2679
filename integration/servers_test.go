package integration

import (
	"slices"
	"strings"
	"testing"

	"encke/integration/browser"
	"encke/integration/bundle"
	"encke/integration/pages"
	"encke/integration/proxy"
	"encke/integration/servers"
)

// TestServers lets unmodified npm clients in a page speak to real servers, over
// WebSocket and over long polling: TestServers/ngircd/websocket.
func TestServers(t *testing.T) {
	for _, test := range []struct {
		name   string
		client string // in the folder clients
		start  func(testing.TB) *servers.Server
		run    func(*testing.T, *chat)
	}{
		{"ngircd", "irc", servers.Ngircd, ircTalk},
		{"prosody", "xmpp", func(t testing.TB) *servers.Server { return servers.Prosody(t, "alice", "bob") }, xmppTalk},
		{"activemq", "stomp", servers.ActiveMQ, stompTalk},
		{"mosquitto", "mqtt", servers.Mosquitto, mqttTalk},
		{"redis", "redis", servers.Redis, redisTalk},
	} {
		t.Run(test.name, func(t *testing.T) {
			script, err := bundle.Client(test.client)
			if err != nil {
				t.Fatal(err)
			}
			server := test.start(t)
			for _, transport := range []string{"websocket", "long-polling"} {
				t.Run(transport, func(t *testing.T) {
					site := pages.Site{Scripts: map[string][]byte{"/client.js": script}}
					origin := site.Serve(t)
					p := encke(t).Start(t, proxy.Options{Allow: []string{server.Addr()}, Origins: []string{origin}})
					test.run(t, &chat{
						t:         t,
						server:    server,
						transport: transport,
						url:       pages.URL(origin, "http://"+p.Addr+"/TCPSocket.js", "/client.js"),
					})
				})
			}
		})
	}
}

// chat is a test with pages that run one of the npm clients.
type chat struct {
	t         *testing.T
	server    *servers.Server
	transport string
	url       string
}

// guest is a page with a client.
type guest struct {
	*browser.Page
	chat *chat
}

// guest opens a page and connects its client. login is what its connect takes beside the
// server's address.
func (c *chat) guest(login map[string]any) guest {
	c.t.Helper()
	g := c.stranger()
	var got struct{ Transport string }
	g.call(&got, "connect", c.address(login))
	if got.Transport != c.transport {
		c.t.Errorf("the client is connected over %q, want %q", got.Transport, c.transport)
	}
	return g
}

// stranger opens a page whose client is not connected.
func (c *chat) stranger() guest {
	c.t.Helper()
	g := guest{launched(c.t, browser.Chromium).Page(c.t), c}
	g.Goto(c.url)
	g.call(nil, "use", []string{c.transport})
	return g
}

func (c *chat) address(login map[string]any) map[string]any {
	all := map[string]any{"host": c.server.Host, "port": c.server.Port}
	for key, value := range login {
		all[key] = value
	}
	return all
}

// call calls a function of the page's client and waits for what it returns.
func (g guest) call(result any, name string, args ...any) {
	g.chat.t.Helper()
	g.Eval(result, `(name, ...args) => client[name](...args)`, append([]any{name}, args...)...)
}

// expect calls a function of the page's client and compares what it returns.
func expect[T comparable](g guest, want T, name string, args ...any) {
	g.chat.t.Helper()
	var got T
	g.call(&got, name, args...)
	if got != want {
		g.chat.t.Errorf("%s: got %+v, want %+v", name, got, want)
	}
}

const greeting = "¿Qué tal? 漢字 🪐 and more"

// everyByte are all byte values, those first that are most often lost.
var everyByte = func() []int {
	all := []int{0x00, 0xff, 0x0d, 0x0a}
	for value := range 256 {
		all = append(all, value)
	}
	return all
}()

// ircTalk: two pages register, meet in a channel and talk in both directions.
func ircTalk(t *testing.T, c *chat) {
	// A nick stays taken for a while after its user has left.
	ann, bea := "ann"+c.transport[:4], "bea"+c.transport[:4]
	first := c.guest(map[string]any{"nick": ann})
	second := c.guest(map[string]any{"nick": bea})
	first.call(nil, "join", "#encke")
	expect(first, "#encke", "joined", ann)
	second.call(nil, "join", "#encke")
	expect(first, "#encke", "joined", bea)
	expect(second, "#encke", "joined", bea)

	type heard struct{ Target, Text string }
	first.call(nil, "say", "#encke", greeting)
	expect(second, heard{"#encke", greeting}, "heard", ann)
	second.call(nil, "say", ann, "only for you")
	expect(first, heard{ann, "only for you"}, "heard", bea)
	first.call(nil, "quit")
	second.call(nil, "quit")
}

// xmppTalk: two users log in and write to each other, also more than one packet.
func xmppTalk(t *testing.T, c *chat) {
	login := func(user string) map[string]any {
		return map[string]any{"domain": "localhost", "username": user, "password": user}
	}
	alice, bob := c.guest(login("alice")), c.guest(login("bob"))
	type heard struct{ From, Text string }
	long := strings.Repeat(greeting, 2000)
	alice.call(nil, "say", "bob@localhost", long)
	expect(bob, heard{"alice@localhost/page", long}, "heard")
	bob.call(nil, "say", "alice@localhost", greeting)
	expect(alice, heard{"bob@localhost/page", greeting}, "heard")
	alice.call(nil, "quit")
	bob.call(nil, "quit")
}

// stompTalk: one page subscribes, another one sends text and bytes.
func stompTalk(t *testing.T, c *chat) {
	reader, writer := c.guest(nil), c.guest(nil)
	queue := "/queue/" + c.transport
	reader.call(nil, "subscribe", queue)
	var got struct {
		Text  string
		Bytes []int
	}
	writer.call(nil, "send", queue, strings.Repeat(greeting, 1000))
	if reader.call(&got, "heard"); got.Text != strings.Repeat(greeting, 1000) {
		t.Errorf("got a text of %d characters, want %d", len(got.Text), 1000*len(greeting))
	}
	writer.call(nil, "sendBytes", queue, everyByte)
	if reader.call(&got, "heard"); !slices.Equal(got.Bytes, everyByte) {
		t.Errorf("got %d, want %d", got.Bytes, everyByte)
	}
	reader.call(nil, "quit")
	writer.call(nil, "quit")
}

// mqttTalk: a wrong password is refused; one page subscribes, another one publishes.
func mqttTalk(t *testing.T, c *chat) {
	refused := c.stranger()
	err := refused.TryEval(nil, `(login) => client.connect(login)`,
		c.address(map[string]any{"clientId": "x", "username": "alice", "password": "wrong"}))
	if err == nil || !strings.Contains(err.Error(), "Not authorized") {
		t.Errorf("a wrong password led to %v, want: Not authorized", err)
	}

	login := func(id string) map[string]any {
		return map[string]any{"clientId": id, "username": "alice", "password": "secret1"}
	}
	reader, writer := c.guest(login("reader")), c.guest(login("writer"))
	topic := "encke/" + c.transport
	reader.call(nil, "subscribe", topic)
	big := slices.Repeat(everyByte, 500)
	for _, want := range [][]int{everyByte, big} {
		writer.call(nil, "publish", topic, want)
		var got struct {
			Topic string
			Bytes []int
		}
		if reader.call(&got, "heard"); got.Topic != topic || !slices.Equal(got.Bytes, want) {
			t.Errorf("got %d bytes of %q, want %d of %q", len(got.Bytes), got.Topic, len(want), topic)
		}
	}
	reader.call(nil, "quit")
	writer.call(nil, "quit")
}

// redisTalk: bytes go in and come out, and many commands are answered in their order.
func redisTalk(t *testing.T, c *chat) {
	g := c.guest(map[string]any{"password": "pw1"})
	for key, want := range map[string][]int{"two": {0x00, 0xff}, "all": everyByte, "big": slices.Repeat(everyByte, 1000)} {
		var got []int
		if g.call(&got, "setGet", key+c.transport, want); !slices.Equal(got, want) {
			t.Errorf("%s: %d bytes went in, and others, or %d, came out", key, len(want), len(got))
		}
	}
	expect(g, 1000, "increments", "count"+c.transport, 1000)
	expect(g, "OK", "quit")
}
