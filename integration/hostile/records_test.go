package hostile

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// wrongRecords are bodies and queries whose records break the session protocol. None of
// them opens a session: what is malformed is taken for nothing.
func wrongRecords(_ *testing.T, r *rig) (all []attack) {
	const huge = 1<<53 - 1
	for _, e := range endpoints {
		add := func(name, records, text string) {
			a := attack{name: e.name + ": " + name, request: e.plain(r, records), want: e.refusal(400, cause.ProtocolError, text)}
			all = append(all, a)
		}
		whole := fresh() + seq(1) + data("eViL") + "\x07\x00" // NEW, SEQ 1, DATA, ACK 0
		borders := map[int]bool{18: true, 20: true, 26: true}
		for n := range len(whole) {
			switch {
			case borders[n]: // a whole request, which opens a session
			case n == 0:
				add("no record", "", "empty request")
			default:
				add(fmt.Sprintf("cut after %d bytes", n), whole[:n], "truncated record")
			}
		}
		for _, version := range []uint64{0, 2, 3, 127, 128, 255, 256, 1 << 32, huge} {
			k := fresh()
			add(fmt.Sprintf("version %d", version), "\x01"+uvarint(version)+k[2:], fmt.Sprintf("protocol version %d; this proxy speaks 1", version))
		}
		const large = "number above 2^53-1"
		for name, number := range map[string]string{
			"2^53": uvarint(1 << 53), "2^63": uvarint(1 << 63), "2^64-1": uvarint(math.MaxUint64),
			"9 bytes": strings.Repeat("\x80", 8) + "\x01", "that never ends": strings.Repeat("\xff", 40),
			"of 8 bytes that goes on": strings.Repeat("\x80", 8),
		} {
			add("a version "+name, "\x01"+number, large)
			add("a packet id "+name, fresh()+"\x04"+number+data("eViL"), large)
			add("an acknowledgement "+name, fresh()+"\x07"+number, large)
			add("an acknowledgement in RESUME "+name, "\x02\x04eViL"+number, large)
			add("a length "+name, fresh()+seq(1)+"\x05"+number, large)
			add("an id's length "+name, "\x02"+number+"eViL", large)
			add("a cause "+name, fresh()+"\x0a"+number+"\x00\x00", large)
		}
		add("a number without its end", fresh()+"\x07\x80\x80", "truncated record")
		add("packet id 0", fresh()+seq(0)+data("eViL"), "packet id 0")
		add("packet id 0 and no packet", fresh()+seq(0), "packet id 0")
		add("a packet without an id", fresh()+data("eViL"), "packet without an id")
		add("an end without an id", fresh()+"\x06", "packet without an id")
		add("ids that run over", fresh()+seq(huge)+data("eViL")+data("eViL"), "packet id above 2^53-1")
		for _, n := range []uint64{1<<20 + 1, 1 << 31, 1 << 32, huge} {
			add(fmt.Sprintf("a packet of %d bytes", n), fresh()+seq(1)+"\x05"+uvarint(n), fmt.Sprintf("field of %d bytes", n))
			add(fmt.Sprintf("an id of %d bytes", n), "\x02"+uvarint(n)+"eViL", fmt.Sprintf("field of %d bytes", n))
			add(fmt.Sprintf("a farewell of %d bytes", n), fresh()+"\x0a\x00\x00"+uvarint(n), fmt.Sprintf("field of %d bytes", n))
		}
		add("a packet longer than the body", fresh()+seq(1)+"\x05\x7feViL", "truncated record")
		add("an id longer than the body", "\x02\x7feViL", "truncated record")
		for kind := range 256 {
			if kind > 0x0a && (kind < 0x20 || kind%16 == 15) {
				add(fmt.Sprintf("record type 0x%02x", kind), fresh()+string([]byte{byte(kind)}), fmt.Sprintf("unknown record type 0x%02x", kind))
				add(fmt.Sprintf("record type 0x%02x first", kind), string([]byte{byte(kind)})+fresh(), fmt.Sprintf("unknown record type 0x%02x", kind))
			}
		}
		const one = "a request begins with one NEW or RESUME"
		add("NEW twice", fresh()+fresh(), one)
		add("NEW and RESUME", fresh()+resume("eViL", 0), one)
		all = append(all,
			attack{name: e.name + ": RESUME and NEW", on: func(id string) request { return e.plain(r, resume(id, 0)+fresh()) }, want: e.refusal(400, cause.ProtocolError, one)},
			attack{name: e.name + ": RESUME twice", on: func(id string) request { return e.plain(r, resume(id, 0)+resume(id, 0)) }, want: e.refusal(400, cause.ProtocolError, one)})
		add("NEW at the end", fresh()+seq(1)+data("eViL")+fresh(), one)
		for name, first := range map[string]string{"a packet": seq(1) + data("eViL"), "an acknowledgement": "\x07\x01", "a probe": "\x08", "its answer": "\x09", "a heartbeat": "\x00", "a farewell": "\x0a\x00\x00\x00", "an end": seq(1) + "\x06"} {
			add(name+" first", first+fresh(), one)
			add(name+" alone", first, one)
		}
		add("WELCOME from a page", fresh()+record(csp.Record{Kind: csp.Welcome, Session: []byte("eViL")}), "record 0x03 from a client")

		if many := fresh() + seq(1) + strings.Repeat("\x05\x00", 1001); !e.ws() || len(many) < 1<<20 {
			all = append(all, attack{name: e.name + ": 1,001 packets", request: e.plain(r, many), want: e.refusal(413, cause.Limit, "more than 1000 packets at once")})
		}
		all = append(all, e.lies(r)...)
		all = append(all, e.halves(r)...)
	}
	return all
}

// halves are bodies that begin well, with a socket to open, and end badly: they are taken
// whole or not at all, so no socket is asked for.
func (e endpoint) halves(r *rig) (all []attack) {
	frames := (&tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 16, Host: []byte(r.backend.Host()), Port: uint64(r.backend.Port())}).Append(nil)
	good := seq(1) + data(string(frames))
	for name, bad := range map[string]struct{ records, text string }{
		"an unknown record":              {"\x7f", "unknown record type 0x7f"},
		"half a record":                  {"\x05\x7f", "truncated record"},
		"another NEW":                    {fresh(), "a request begins with one NEW or RESUME"},
		"packet id 0":                    {seq(0) + data("eViL"), "packet id 0"},
		"an acknowledgement beyond 2^53": {"\x07" + strings.Repeat("\xff", 9), "number above 2^53-1"},
	} {
		want := e.refusal(400, cause.ProtocolError, bad.text)
		all = append(all,
			attack{name: e.name + ": NEW, an OPEN and " + name, request: e.plain(r, fresh()+good+bad.records), want: want},
			attack{name: e.name + ": RESUME, an OPEN and " + name, on: func(id string) request { return e.plain(r, resume(id, 0)+good+bad.records) }, want: want})
	}
	return all
}

// lies are well-formed records that say what can not be. They end the session that they
// name, or that was just opened for them, and no other.
func (e endpoint) lies(r *rig) (all []attack) {
	const huge = 1<<53 - 1
	add := func(name, behind, text string) {
		on := func(id string) request { return e.plain(r, resume(id, 0)+behind) }
		all = append(all, attack{name: e.name + ": " + name, on: on, want: e.refusal(400, cause.ProtocolError, text)})
	}
	for _, ack := range []uint64{1, 2, 64, 1 << 31, 1 << 32, huge} {
		text := fmt.Sprintf("acknowledgement of packet %d, which was never sent", ack)
		add(fmt.Sprintf("an acknowledgement of packet %d", ack), "\x07"+uvarint(ack), text)
		on := func(id string) request { return e.plain(r, resume(id, ack)) }
		all = append(all, attack{name: fmt.Sprintf("%s: RESUME acknowledges packet %d", e.name, ack), on: on, want: e.refusal(400, cause.ProtocolError, text)})
	}
	for _, id := range []uint64{66, 67, 1000, 1 << 31, 1 << 32, huge} {
		add(fmt.Sprintf("packet %d first", id), seq(id)+data("eViL"), fmt.Sprintf("packet %d arrived, but packet 1 is missing", id))
		add(fmt.Sprintf("the end as packet %d first", id), seq(id)+"\x06", fmt.Sprintf("packet %d arrived, but packet 1 is missing", id))
	}
	return all
}
