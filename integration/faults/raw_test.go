package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/integration/backend"
	"encke/tcpsocket"
)

// raw is a session whose requests are made by hand, so that they can be wrong: sent
// twice, out of order, or full of nonsense. Nothing of what the proxy sends is
// acknowledged.
type raw struct {
	f    *fault
	id   string
	http *http.Client
	ws   *websocket.Conn // on the transport websocket

	leave func() // ends the downlink
}

// get says which transports put records into the query.
var get = map[string]bool{"eventsource": true, "iframe": true, "jsonp": true}

var sessionID = regexp.MustCompile(`n0\.[A-Za-z0-9_-]{22}`)

// openRaw opens a session over the row's transport.
func (f *fault) openRaw() *raw {
	f.Helper()
	r := f.newRaw()
	hello := &csp.Record{Kind: csp.New, Version: csp.Version}
	rand.Read(hello.Key[:])
	first := r.downlink(hello.Append(nil))
	r.id = string(sessionID.Find(first))
	if r.id == "" {
		f.Fatalf("the answer to NEW is %q", first)
	}
	return r
}

// newRaw is for a session that somebody else has opened, or nobody.
func (f *fault) newRaw() *raw {
	transport := &http.Transport{DisableKeepAlives: true}
	f.Cleanup(transport.CloseIdleConnections)
	return &raw{f: f, http: &http.Client{Transport: transport}}
}

// downlink opens a link that begins with hello and returns the beginning of what the
// proxy says. The link goes on until the test ends.
func (r *raw) downlink(hello []byte) []byte {
	f := r.f
	f.Helper()
	if f.transport == "websocket" {
		ws, _, err := websocket.Dial(f.Context(), "http://"+f.relay.Addr()+"/session/websocket", &websocket.DialOptions{
			HTTPClient: r.http, HTTPHeader: http.Header{"Origin": {"http://" + f.relay.Addr()}},
		})
		if err != nil {
			f.Fatal(err)
		}
		r.leave = func() { _ = ws.CloseNow() }
		f.Cleanup(r.leave)
		r.ws = ws
		r.say(hello)
		_, first, err := ws.Read(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		return first
	}
	resp, err := r.request(f.Context(), f.transport, hello)
	if err != nil {
		f.Fatal(err)
	}
	r.leave = func() { _ = resp.Body.Close() }
	f.Cleanup(r.leave)
	var first []byte
	for p := make([]byte, 4096); !sessionID.Match(first); {
		n, err := resp.Body.Read(p)
		first = append(first, p[:n]...)
		if err != nil {
			break
		}
	}
	return first
}

func (r *raw) say(records []byte) {
	r.f.Helper()
	if err := r.ws.Write(r.f.Context(), websocket.MessageBinary, records); err != nil {
		r.f.Fatal(err)
	}
}

// request makes one request by hand.
func (r *raw) request(ctx context.Context, path string, records []byte) (*http.Response, error) {
	base := "http://" + r.f.relay.Addr()
	u, method, body := base+"/session/"+path, http.MethodPost, io.Reader(bytes.NewReader(records))
	if name := strings.TrimSuffix(path, "-send"); get[name] {
		method, body = http.MethodGet, nil
		u += "?d=" + base64.RawURLEncoding.EncodeToString(records) + "&callback=f&seq=1"
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Origin", base)
	return r.http.Do(req)
}

// send brings records for the session, over an uplink of their own or in a message. A
// refusal is the error.
func (r *raw) send(records []byte) error {
	if r.ws != nil {
		return r.ws.Write(r.f.Context(), websocket.MessageBinary, records)
	}
	path := "send"
	if r.f.transport == "jsonp" {
		path = "jsonp-send"
	}
	hello := &csp.Record{Kind: csp.Resume, Session: []byte(r.id)}
	resp, err := r.request(r.f.Context(), path, append(hello.Append(nil), records...))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return refusal(answer)
}

// refusal finds the cause in an answer, or nil.
func refusal(answer []byte) error {
	var found error
	look := func(one *csp.Record) error {
		if one.Kind == csp.Close {
			found = &cause.Error{Code: cause.FromWire(one.Cause), Text: string(one.Text)}
		}
		return nil
	}
	if text, ok := bytes.CutPrefix(answer, []byte("/**/f(1,")); ok {
		if err := csp.ParseText(bytes.TrimSuffix(text, []byte(");")), look); err != nil {
			return err
		}
		return found
	}
	if _, err := csp.Parse(answer, 1, look); err != nil {
		return err
	}
	return found
}

// ending returns the cause that the session ended with. It waits for it.
func (r *raw) ending() *cause.Error {
	r.f.Helper()
	var why *cause.Error
	if r.ws == nil {
		until(r.f, "the end of the session", func() bool { return errors.As(r.send(nil), &why) })
		return why
	}
	ctx, cancel := context.WithTimeout(r.f.Context(), patience)
	defer cancel()
	for {
		_, msg, err := r.ws.Read(ctx)
		if err != nil {
			if code := int(websocket.CloseStatus(err)); why == nil && code >= 4000 {
				why = cause.FromWire(uint64(code - 4000)).Err()
			}
			if why == nil {
				r.f.Fatalf("the WebSocket ended with %v", err)
			}
			return why
		}
		errors.As(refusal(msg), &why)
	}
}

// packets returns what opens socket 1 to b and sends n bytes of stream key over it and
// EOF, cut into packets of at most piece bytes: packet i has the id i+1.
func packets(b *backend.Backend, key uint32, n, piece int) [][]byte {
	stream := (&tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 20, Port: uint64(b.Port()), Host: []byte(b.Host())}).Append(nil)
	for pos := 0; pos < n; {
		p := make([]byte, min(1000, n-pos))
		backend.Fill(p, key, int64(pos))
		stream = (&tcpsocket.Frame{Type: tcpsocket.Data, Socket: 1, Data: p}).Append(stream)
		pos += len(p)
	}
	stream = (&tcpsocket.Frame{Type: tcpsocket.EOF, Socket: 1}).Append(stream)
	var all [][]byte
	for len(stream) > 0 {
		n := min(piece, len(stream))
		all = append(all, stream[:n])
		stream = stream[n:]
	}
	return all
}

// numbered is packet i of packets, with its id said.
func numbered(all [][]byte, i int) []byte {
	return (&csp.Record{Kind: csp.Data, Data: all[i]}).Append((&csp.Record{Kind: csp.Seq, ID: uint64(i + 1)}).Append(nil))
}

// atOnce sends requests beside each other; messages of a WebSocket go one after the other.
func (r *raw) atOnce(requests ...[]byte) error {
	if r.ws != nil {
		for _, records := range requests {
			if err := r.send(records); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, len(requests))
	var all sync.WaitGroup
	for i, records := range requests {
		all.Go(func() { errs[i] = r.send(records) }) // until answered
	}
	all.Wait()
	return errors.Join(errs...)
}

// ended fails the row unless the connection to b ended as it should.
func (f *fault) ended(b *backend.Backend) {
	f.Helper()
	if err := await(f, "the end of the connection to the backend", b.Ended()); err != nil {
		f.Error(err)
	}
}

// want fails the row unless err has this cause.
func (f *fault) want(what string, err error, code cause.Code) {
	f.Helper()
	if !errors.Is(err, code.Err()) {
		f.Errorf("I2: %s: %v, want cause %s", what, err, code)
	}
}

func errorf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
