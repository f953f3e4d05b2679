package csp_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

var update = flag.Bool("update", false, "rewrite the right-hand side of the vectors in testdata")

// vector is a record as testdata writes it; static/client reads the same files.
type vector struct {
	Type      string  `json:"type"`
	Version   *uint64 `json:"version,omitempty"`
	Key       string  `json:"key,omitempty"` // hex
	Session   string  `json:"session,omitempty"`
	Ack       *uint64 `json:"ack,omitempty"`
	Window    *uint64 `json:"window,omitempty"`
	Heartbeat *uint64 `json:"heartbeat,omitempty"`
	ID        *uint64 `json:"id,omitempty"`
	Data      *string `json:"data,omitempty"` // hex
	Cause     *uint64 `json:"cause,omitempty"`
	Retry     *uint64 `json:"retry,omitempty"`
	Text      *string `json:"text,omitempty"`
}

var kinds = map[string]csp.Kind{
	"NOP": csp.NOP, "NEW": csp.New, "RESUME": csp.Resume, "WELCOME": csp.Welcome, "SEQ": csp.Seq, "DATA": csp.Data,
	"END": csp.End, "ACK": csp.Ack, "PING": csp.Ping, "PONG": csp.Pong, "CLOSE": csp.Close,
}

func num(p *uint64) uint64 {
	if p == nil {
		return 0
	}
	return *p
}

func (v vector) record(t testing.TB) csp.Record {
	t.Helper()
	kind, ok := kinds[v.Type]
	if !ok {
		t.Fatalf("vector type %q", v.Type)
	}
	r := csp.Record{
		Kind: kind, Version: num(v.Version), Window: num(v.Window), Heartbeat: num(v.Heartbeat),
		Cause: num(v.Cause), Retry: num(v.Retry), ID: num(v.ID),
	}
	if v.Ack != nil {
		r.ID = *v.Ack
	}
	if v.Session != "" {
		r.Session = []byte(v.Session)
	}
	copy(r.Key[:], unhex(t, v.Key))
	if v.Data != nil {
		r.Data = unhex(t, *v.Data)
	}
	if v.Text != nil {
		r.Text = []byte(*v.Text)
	}
	return r
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return p
}

func toVector(r *csp.Record) vector {
	v := vector{}
	for name, k := range kinds {
		if k == r.Kind {
			v.Type = name
		}
	}
	str := func(p []byte) *string { s := string(p); return &s }
	u := func(n uint64) *uint64 { return &n }
	switch r.Kind {
	case csp.New:
		v.Version, v.Key = u(r.Version), hex.EncodeToString(r.Key[:])
	case csp.Resume:
		v.Session, v.Ack = string(r.Session), u(r.ID)
	case csp.Welcome:
		v.Session, v.Ack, v.Window, v.Heartbeat = string(r.Session), u(r.ID), u(r.Window), u(r.Heartbeat)
	case csp.Seq, csp.Ack, csp.End:
		v.ID = u(r.ID)
	case csp.Data:
		v.ID = u(r.ID)
		v.Data = str([]byte(hex.EncodeToString(r.Data)))
	case csp.Close:
		v.Cause, v.Retry, v.Text = u(r.Cause), u(r.Retry), str(r.Text)
	}
	return v
}

// lines returns the two sides of each line of a vector file. With -update the
// right-hand sides are rewritten by render.
func lines(t *testing.T, name string, render func(left string) string) [][2]string {
	t.Helper()
	path := filepath.Join("testdata", name)
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var all [][2]string
	sc := bufio.NewScanner(strings.NewReader(string(src)))
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		line := sc.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			fmt.Fprintln(&out, line)
			continue
		}
		left, right, _ := strings.Cut(line, "\t")
		if *update {
			right = render(left)
		}
		fmt.Fprintf(&out, "%s\t%s\n", left, right)
		all = append(all, [2]string{left, right})
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s holds no vectors", path)
	}
	return all
}

func parseVectors(t testing.TB, s string) []csp.Record {
	t.Helper()
	var list []vector
	if !strings.HasPrefix(s, "[") {
		s = "[" + s + "]"
	}
	if err := json.Unmarshal([]byte(s), &list); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	out := make([]csp.Record, len(list))
	for i, v := range list {
		out[i] = v.record(t)
	}
	return out
}

func TestRecordVectors(t *testing.T) {
	encode := func(left string) string {
		r := parseVectors(t, left)[0]
		return hex.EncodeToString(r.Append(nil))
	}
	for _, l := range lines(t, "records.txt", encode) {
		if got := encode(l[0]); got != l[1] {
			t.Errorf("%s\n got %s\nwant %s", l[0], got, l[1])
		}
		want := parseVectors(t, l[0])[0]
		var got csp.Record
		_, err := csp.Parse(unhex(t, l[1]), 7, func(r *csp.Record) error { got = *r; return nil })
		if err != nil {
			t.Errorf("%s: %v", l[1], err)
		}
		if want.Kind == csp.Seq {
			continue // not passed on
		}
		if want.Kind == csp.Data || want.Kind == csp.End {
			want.ID = 7
		}
		if g, w := toJSON(toVector(&got)), toJSON(toVector(&want)); g != w {
			t.Errorf("%s\n got %s\nwant %s", l[1], g, w)
		}
	}
}

func toJSON(v any) string {
	p, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(p)
}

// batch makes a batch from records, as a link would.
func batch(records []csp.Record, release *[]func()) *csp.Batch {
	b := &csp.Batch{}
	s := csp.NewSession(csp.Options{}, nopHandler{})
	*release = append(*release, func() { s.Close(cause.Closed.Err()) })
	link, err := s.Attach(0, func() {})
	if err != nil {
		panic(err)
	}
	packets := 0
	for i := range records {
		r := records[i]
		switch r.Kind {
		case csp.Welcome:
			b.Welcome = &records[i]
		case csp.Ack:
			b.HasAck, b.Ack = true, r.ID
		case csp.Ping:
			b.Pings++
		case csp.Pong:
			b.Pongs++
		case csp.Seq:
			b.First, b.Seq = r.ID, true
		case csp.Data:
			packets++
			s.Send(buffer.Copy(r.Data), 0)
		case csp.End:
			packets++
			s.End()
		case csp.Close:
			b.Close = &cause.Error{Code: cause.Code(r.Cause), Retry: int(r.Retry), Text: string(r.Text)}
		}
		// One packet at a time, so that the session merges none.
		var taken csp.Batch
		if ok, _ := link.Take(&taken, 1<<20); ok {
			b.Packets = append(b.Packets, taken.Packets...)
		}
	}
	if len(b.Packets) != packets {
		panic("packets were merged")
	}
	return b
}

type nopHandler struct{}

func (nopHandler) Receive([][]byte) error { return nil }
func (nopHandler) Writable()              {}
func (nopHandler) Closed(*cause.Error)    {}

func TestBatchVectors(t *testing.T) {
	var release []func()
	defer func() {
		for _, f := range release {
			f()
		}
	}()
	encode := func(left string) string {
		return string(csp.Text.Append(nil, batch(parseVectors(t, left), &release)))
	}
	for _, l := range lines(t, "batches.txt", encode) {
		records := parseVectors(t, l[0])
		if got := encode(l[0]); got != l[1] {
			t.Errorf("%s\n got %s\nwant %s", l[0], got, l[1])
		}
		var got []vector
		if err := csp.ParseText([]byte(l[1]), func(r *csp.Record) error {
			got = append(got, toVector(r))
			return nil
		}); err != nil {
			t.Errorf("%s: %v", l[1], err)
			continue
		}
		want := []vector{}
		next := uint64(0)
		for i := range records {
			r := records[i]
			if r.Kind == csp.Seq {
				next = r.ID
				continue
			}
			if r.Kind == csp.Data || r.Kind == csp.End {
				r.ID = next
				next++
			}
			want = append(want, toVector(&r))
		}
		if len(got) == 0 {
			got = []vector{}
		}
		if g, w := toJSON(got), toJSON(want); g != w {
			t.Errorf("%s\n got %s\nwant %s", l[1], g, w)
		}
	}
}
