package csp_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// TestExchanges plays the server's part of the recorded exchanges: what the client
// said is fed to a session, and every record of the server must be what the session
// says there. What the server's application sends, and when, is taken from the
// record. static/client plays the client's part of the same files.
func TestExchanges(t *testing.T) {
	files, err := filepath.Glob("testdata/exchange-*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no exchanges: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { play(t, string(src)) })
		})
	}
}

func play(t *testing.T, src string) {
	r := &replay{t: t, content: contents(t, src)}
	r.server = csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return &r.handler }})
	defer r.server.Close(cause.Closed.Err())
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "LINK":
			r.link, r.up, r.down, r.said = nil, 0, 0, nil
		case "CUT":
			r.link.Detach()
		case "C":
			r.client(rest)
		case "S":
			r.says(rest)
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
}

// contents returns what the application of the server sends, by packet id.
func contents(t *testing.T, src string) map[uint64][]byte {
	all := make(map[uint64][]byte)
	var next uint64
	for line := range strings.Lines(src) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "S ")
		if !ok {
			continue
		}
		switch rec := parseVectors(t, rest)[0]; rec.Kind {
		case csp.Seq:
			next = rec.ID
		case csp.Data:
			all[next] = rec.Data
			next++
		case csp.End:
			next++
		}
	}
	return all
}

// placeholder is how the files write the session's id.
const placeholder = "n0.AAAAAAAAAAAAAAAAAAAAAA"

type replay struct {
	t       *testing.T
	server  *csp.Server
	handler recorder
	session *csp.Session
	link    *csp.Link
	refused *cause.Error
	up      uint64   // next packet id of the client
	down    uint64   // next packet id of ours
	said    []string // what we said on this link and the file has not yet
	content map[uint64][]byte
	sent    uint64 // highest packet id that our application sent
}

func (r *replay) client(line string) {
	rec := parseVectors(r.t, line)[0]
	wire := rec.Append(nil)
	var err error
	r.up, err = csp.Parse(wire, r.up, func(rec *csp.Record) error {
		switch rec.Kind {
		case csp.New, csp.Resume:
			return r.hello(rec)
		case csp.Ack:
			return r.session.Acked(rec.ID)
		case csp.Data, csp.End:
			_, err := r.session.Deliver([]csp.Packet{{ID: rec.ID, Data: rec.Data, End: rec.Kind == csp.End}}, false)
			if err == nil && rec.Kind == csp.Data {
				err = r.session.Err()
			}
			return err
		case csp.Ping:
			r.link.Answer()
		}
		return nil
	})
	if err != nil && !errors.As(err, &r.refused) {
		r.t.Fatalf("C %s: %v", line, err)
	}
}

func (r *replay) hello(rec *csp.Record) error {
	var err error
	var ack uint64
	fresh := rec.Kind == csp.New
	if fresh {
		r.session, err = r.server.Open(csp.Peer{}, rec.Key)
	} else {
		ack = rec.ID
		r.session, err = r.server.Resume(strings.Replace(string(rec.Session), placeholder, r.session.ID(), 1))
	}
	if err != nil {
		return err
	}
	r.link, err = r.session.Attach(ack, func() {})
	if fresh && err == nil {
		r.said = append(r.said, "welcome")
	}
	return err
}

// says checks that the next record of the server is this one.
func (r *replay) says(line string) {
	r.t.Helper()
	want := parseVectors(r.t, line)[0]
	if len(r.said) > 0 && r.said[0] == "welcome" {
		r.said = nil
		got := csp.Record{Kind: csp.Welcome, Session: []byte(placeholder), ID: r.session.Received(), Window: uint64(r.server.Linger().Seconds()), Heartbeat: 25}
		r.compare(line, toJSON(toVector(&got)))
		return
	}
	if r.refused != nil {
		got := csp.Record{Kind: csp.Close, Cause: uint64(r.refused.Code), Retry: uint64(r.refused.Retry), Text: []byte(r.refused.Text)}
		r.compare(line, toJSON(toVector(&got)))
		return
	}
	if len(r.said) == 0 {
		r.provoke(&want)
	}
	if len(r.said) == 0 {
		r.t.Fatalf("the server says nothing where the exchange has S %s", line)
	}
	got := r.said[0]
	r.said = r.said[1:]
	r.compare(line, got)
}

// provoke lets the application do what makes the server say want, and takes what
// the session has to say.
func (r *replay) provoke(want *csp.Record) {
	r.take()
	if len(r.said) > 0 {
		return
	}
	switch want.Kind {
	case csp.Seq, csp.Data:
		r.sent++
		r.session.Send(buffer.Copy(r.content[r.sent]), 0)
	case csp.End:
		r.session.End()
	case csp.Ping:
		r.link.Probe()
	case csp.Close:
		r.session.Close(&cause.Error{Code: cause.Code(want.Cause), Text: string(want.Text)})
	case csp.Ack:
		time.Sleep(time.Second) // acknowledgements wait so long
		synctest.Wait()
	}
	r.take()
}

func (r *replay) take() {
	var b csp.Batch
	for {
		ok, err := r.link.Take(&b, 1)
		if !ok || err != nil {
			return
		}
		wire := csp.Binary.Append(nil, &b)
		b.Release()
		for len(wire) > 0 { // one record at a time, so that Seq is seen
			n := 1
			for ; n <= len(wire); n++ {
				var got string
				next, err := csp.Parse(wire[:n], r.down, func(rec *csp.Record) error {
					got = toJSON(toVector(rec))
					return nil
				})
				if err == nil {
					if got == "" {
						v := vector{Type: "SEQ", ID: &next}
						got = toJSON(v)
					}
					r.down = next
					r.said = append(r.said, got)
					break
				}
			}
			wire = wire[n:]
		}
	}
}

// compare compares what was said with the line of the file, which does not repeat
// the ids of packets.
func (r *replay) compare(want, got string) {
	r.t.Helper()
	norm := func(s string) string {
		var v vector
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			r.t.Fatal(err)
		}
		if v.Type == "DATA" || v.Type == "END" {
			v.ID = nil
		}
		return toJSON(v)
	}
	if g, w := norm(got), norm(want); g != w {
		r.t.Errorf("the server says\n     %s\nwant %s", g, w)
	}
}
