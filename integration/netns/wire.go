package netns

import (
	"fmt"
	"strings"
	"testing"
)

// ServerIP is the address of the server's end of a wire.
const ServerIP = "10.77.0.1"

// table is the nft table with the faults of a wire; each namespace has its own.
const table = "faults"

// Names of the wire's ends.
const (
	clientEnd = "client0"
	serverEnd = "server0"
)

// Wire is two namespaces with an Ethernet wire between them. Its faults are what a
// network does; an end of it hears of them only what it would hear there.
type Wire struct {
	Client, Server *Namespace

	t    testing.TB
	host int // last byte of the client's address
}

// NewWire returns a wire without faults. It goes with t.
func NewWire(t testing.TB) *Wire {
	t.Helper()
	w := &Wire{Client: New(t), Server: New(t), t: t, host: 2}
	w.Server.Run("ip", "link", "add", serverEnd, "type", "veth", "peer", "name", clientEnd, "netns", w.Client.path())
	w.Server.Run("ip", "addr", "add", ServerIP+"/24", "dev", serverEnd)
	w.Server.Run("ip", "link", "set", serverEnd, "up")
	w.Client.Run("ip", "addr", "add", w.ClientIP()+"/24", "dev", clientEnd)
	w.Client.Run("ip", "link", "set", clientEnd, "up")
	for _, n := range []*Namespace{w.Client, w.Server} {
		n.Run("nft", fmt.Sprintf("add table inet %s; add chain inet %s in { type filter hook input priority 0; }", table, table))
	}
	return w
}

// ClientIP is the client's address now.
func (w *Wire) ClientIP() string { return fmt.Sprintf("10.77.0.%d", w.host) }

// Down takes the carrier from the wire; nothing is told to TCP. Up gives it back.
func (w *Wire) Down() { w.Client.Run("ip", "link", "set", clientEnd, "down") }

// Up ends Down.
func (w *Wire) Up() { w.Client.Run("ip", "link", "set", clientEnd, "up") }

// Move gives the client another address in place of its own, as a change of network
// does. Connections from the old one fall silent; nobody resets them.
func (w *Wire) Move() {
	old := w.ClientIP()
	w.host++
	w.Client.Run("ip", "addr", "del", old+"/24", "dev", clientEnd)
	w.Client.Run("ip", "addr", "add", w.ClientIP()+"/24", "dev", clientEnd)
}

// Way is a direction of a wire.
type Way int

// The ways. A packet on its way up goes from the client to the server.
const (
	Up Way = 1 << iota
	Down
	Both = Up | Down
)

// Drop loses all TCP packets that go this way, until Mend.
func (w *Wire) Drop(way Way) { w.rule(way, "meta l4proto tcp drop") }

// Lose loses a part of the TCP packets that go this way, chosen by chance, until Mend.
func (w *Wire) Lose(way Way, percent int) {
	w.rule(way, fmt.Sprintf("meta l4proto tcp numgen random mod 100 < %d drop", percent))
}

// Refuse answers all TCP packets that go up with a reset, until Mend: what a firewall
// does that has forgotten its connections.
func (w *Wire) Refuse() { w.rule(Up, "meta l4proto tcp reject with tcp reset") }

// rule adds a rule where packets arrive, so that who sends them can not tell. What does
// not come over the wire is left alone.
func (w *Wire) rule(way Way, rule string) {
	if way&Up != 0 {
		w.Server.Run("nft", fmt.Sprintf("add rule inet %s in iifname %s %s", table, serverEnd, rule))
	}
	if way&Down != 0 {
		w.Client.Run("nft", fmt.Sprintf("add rule inet %s in iifname %s %s", table, clientEnd, rule))
	}
}

// Mend ends Drop, Lose and Refuse.
func (w *Wire) Mend() {
	for _, n := range []*Namespace{w.Client, w.Server} {
		n.Run("nft", "flush chain inet "+table+" in")
	}
}

// Rate bounds what goes through the wire, in kbit/s for each way. 0: no bound.
func (w *Wire) Rate(kbit int) {
	for n, dev := range map[*Namespace]string{w.Client: clientEnd, w.Server: serverEnd} {
		if kbit == 0 {
			n.Run("tc", "qdisc", "del", "dev", dev, "root")
			continue
		}
		n.Run("tc", "qdisc", "replace", "dev", dev, "root", "tbf", "rate", fmt.Sprint(kbit, "kbit"), "burst", "4kb", "latency", "2s")
	}
}

// Cut ends all connections to a port of the server, on both sides, at once. It returns
// how many there were.
func (w *Wire) Cut(port int) int {
	w.t.Helper()
	// ss complains of what it could not look at, and kills all the same.
	out := w.Server.Run("ss", "-KHtn", "state", "established", fmt.Sprintf("( sport = :%d )", port))
	return strings.Count(out, "\n")
}
