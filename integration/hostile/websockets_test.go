package hostile

import (
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/backend"
)

// olderSockets are the WebSockets of older protocols, by the names of the protocols.
var olderSockets = map[string]string{"websockify": "/websockify?token=desk", "orbited2": "/ws", "wisp": "/wisp/", "wsproxy": "/v1?address=127.0.0.1:1"}

// serveOlder switches on all older protocols.
func serveOlder(cfg *app.Config, b *backend.Backend) {
	cfg.Legacy = []string{"csp", "orbited07", "orbited08"}
	for name := range olderSockets {
		cfg.Legacy = append(cfg.Legacy, name)
	}
	cfg.LegacyOptions = map[string][]string{"target": {"desk=" + b.Addr()}}
}

// olderWebSockets are the attacks on our own WebSocket that have nothing to do with what
// it carries, made on those of older protocols.
func olderWebSockets(t *testing.T, r *rig) (all []attack) {
	const own = "/session/websocket"
	for _, family := range []family{foreignOrigins, foreignHosts, wrongUpgrades} {
		for _, a := range family(t, r) {
			if a.method != "GET" || !strings.HasPrefix(a.target, own) {
				continue
			}
			for name, target := range olderSockets {
				b := a
				b.name, b.target = name+": "+strings.TrimPrefix(a.name, "websocket: "), target
				if a.want.status == 400 || a.want.status == 426 { // the page was let pass
					b.want.allow = listed
				}
				all = append(all, b)
			}
		}
	}
	for name, target := range olderSockets {
		q := endpoints[0].plain(r, "")
		q.target, q.behind = target, ""
		q.method = "POST"
		all = append(all, attack{name: name + ": POST", request: ended(q), want: answer{status: 405, body: "not a WebSocket handshake\n", allow: listed}})
	}
	return all
}
