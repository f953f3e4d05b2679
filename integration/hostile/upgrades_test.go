package hostile

import (
	"net/http"
	"testing"
)

// wrongUpgrades are handshakes that are none. What is wrong with them is not repeated.
func wrongUpgrades(_ *testing.T, r *rig) (all []attack) {
	good := endpoints[0].plain(r, fresh())
	good.behind = ""
	bad := answer{status: http.StatusBadRequest, body: "not a WebSocket handshake\n"}
	upgrade := answer{status: http.StatusUpgradeRequired, body: "not a WebSocket handshake\n"}
	for _, v := range []struct {
		name string
		request
		want answer
	}{
		{"no Upgrade", good.without("Upgrade"), upgrade},
		{"another Upgrade", good.with("Upgrade", "eViL"), upgrade},
		{"Upgrade to HTTP/2", good.with("Upgrade", "h2c"), upgrade},
		{"Upgrade to markup", good.with("Upgrade", "<script>eViL</script>"), upgrade},
		{"no Connection", good.without("Connection"), upgrade},
		{"another Connection", good.with("Connection", "eViL, close"), upgrade},
		{"no key", good.without("Sec-WebSocket-Key"), bad},
		{"two keys", good.adding("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), bad},
		{"a short key", good.with("Sec-WebSocket-Key", "eViL"), bad},
		{"a long key", good.with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"), bad},
		{"an empty key", good.with("Sec-WebSocket-Key", ""), bad},
		{"a key that is markup", good.with("Sec-WebSocket-Key", "<script>eViL</script>"), bad},
		{"no version", good.without("Sec-WebSocket-Version"), bad},
		{"version 8", good.with("Sec-WebSocket-Version", "8"), bad},
		{"version 14", good.with("Sec-WebSocket-Version", "14"), bad},
		{"versions 13 and 8", good.with("Sec-WebSocket-Version", "13, 8"), bad},
		{"a version that is markup", good.with("Sec-WebSocket-Version", "<script>eViL</script>"), bad},
		{"a negative version", good.with("Sec-WebSocket-Version", "-13"), bad},
	} {
		q := v.request
		switch {
		case v.name == "no Connection":
			q = q.adding("Connection: close")
		case v.name != "another Connection":
			q = ended(q)
		}
		all = append(all, attack{name: v.name, request: q, want: v.want})
	}
	old := attack{name: "HTTP/1.0", wire: replaceOnce(string(ended(good).bytes()), "HTTP/1.1", "HTTP/1.0"), want: upgrade}
	return append(all, old)
}
