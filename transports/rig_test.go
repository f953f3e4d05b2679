package transports_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/edge"
	"encke/transports"
)

// rig is a handler with sessions that echo.
type rig struct {
	t      *testing.T
	server *csp.Server
	h      *transports.Handler
	url    string
	client *http.Client
	keys   byte
}

// echo sends back what a session receives.
type echo struct{ s *csp.Session }

func (e *echo) Receive(data [][]byte) error {
	for _, p := range data {
		switch string(p) {
		case "panic":
			panic("as a fault of ours would")
		case silent:
		default:
			e.s.Send(buffer.Copy(p), 0)
		}
	}
	return nil
}
func (e *echo) Writable()           {}
func (e *echo) Closed(*cause.Error) {}

// silent is not echoed.
const silent = "silent"

func newRig(t *testing.T, opts transports.Options, sessions csp.Options) *rig {
	t.Helper()
	return newRigOf(t, opts, sessions, false)
}

// newRigOf is newRig where, with netHTTP, answers stay in the hands of net/http, as those of
// HTTP/2 do.
func newRigOf(t *testing.T, opts transports.Options, sessions csp.Options, netHTTP bool) *rig {
	t.Helper()
	if sessions.Accept == nil {
		sessions.Accept = func(s *csp.Session) csp.Handler { return &echo{s} }
	}
	var h *transports.Handler
	sessions.Admit = func(p csp.Peer) (func(), error) { return h.Admit(p) }
	server := csp.NewServer(sessions)
	if opts.Transports == nil {
		opts.Transports = transports.All()
	}
	var err error
	h, err = transports.New(server, opts)
	if err != nil {
		t.Fatal(err)
	}
	guarded := transports.Hosts{"proxy.test"}.Guard(h)
	serve := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Upgrade") != "" {
			w.Header().Set("Connection", "close") // as the proxy does
		}
		guarded.ServeHTTP(w, req)
	})
	srv := httptest.NewUnstartedServer(serve)
	if !netHTTP {
		srv.Listener = edge.Listen(srv.Listener, edge.Options{Upgrades: serve})
		srv.Config.ConnContext = transports.WithConn
	}
	srv.Start()
	r := &rig{t: t, server: server, h: h, url: srv.URL, client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() {
		server.Close(cause.GoingAway.Err())
		r.client.CloseIdleConnections()
		srv.CloseClientConnections()
		srv.Close()
		h.Wait(time.Second)
	})
	return r
}

// hello is the NEW record of a fresh session.
func (r *rig) hello() []byte {
	r.keys++
	return (&csp.Record{Kind: csp.New, Version: csp.Version, Key: csp.Key{r.keys}}).Append(nil)
}

func resume(id string, ack uint64) []byte {
	return (&csp.Record{Kind: csp.Resume, Session: []byte(id), ID: ack}).Append(nil)
}

func packets(first uint64, texts ...string) []byte {
	out := (&csp.Record{Kind: csp.Seq, ID: first}).Append(nil)
	for _, s := range texts {
		out = (&csp.Record{Kind: csp.Data, Data: []byte(s)}).Append(out)
	}
	return out
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func query(records []byte) string { return "d=" + base64.RawURLEncoding.EncodeToString(records) }

// request makes a request as a page of the proxy's own origin would.
func (r *rig) request(method, path string, body []byte, headers ...string) *http.Request {
	r.t.Helper()
	var rd io.Reader
	if body != nil {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/session/"+path, rd)
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Origin", r.url)
	} else {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	return req
}

func (r *rig) do(req *http.Request) *http.Response {
	r.t.Helper()
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (r *rig) post(path string, body []byte, headers ...string) *http.Response {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, path, body, headers...))
}

func (r *rig) get(path string, headers ...string) *http.Response {
	r.t.Helper()
	return r.do(r.request(http.MethodGet, path, nil, headers...))
}

// open makes a session over /session/send and returns its id.
func (r *rig) open() string {
	r.t.Helper()
	recs := r.records(r.post("send", r.hello()))
	if len(recs) == 0 || recs[0].Kind != csp.Welcome {
		r.t.Fatalf("no welcome: %v", recs)
	}
	return string(recs[0].Session)
}

// records reads a whole binary response.
func (r *rig) records(resp *http.Response) []csp.Record {
	r.t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.parse(body)
}

func (r *rig) parse(body []byte) []csp.Record {
	r.t.Helper()
	var all []csp.Record
	if _, err := csp.Parse(body, 0, func(rec *csp.Record) error { all = append(all, *rec); return nil }); err != nil {
		r.t.Fatalf("%x: %v", body, err)
	}
	return all
}

// stream reads a response while it goes on.
type stream struct {
	t    *testing.T
	body io.Reader
	got  strings.Builder
}

// until reads until the text that arrived contains mark, and returns all of it.
func (s *stream) until(mark string) string {
	s.t.Helper()
	buf := make([]byte, 64<<10)
	for !strings.Contains(s.got.String(), mark) {
		n, err := s.body.Read(buf)
		s.got.Write(buf[:n])
		if err != nil {
			s.t.Fatalf("the response ended (%v) without %q; it was %q", err, mark, s.got.String())
		}
	}
	return s.got.String()
}

// end reads until the response ends.
func (s *stream) end() string {
	s.t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(&s.got, s.body)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			s.t.Fatalf("the response broke: %v", err)
		}
	case <-time.After(20 * time.Second):
		s.t.Fatalf("the response does not end")
	}
	return s.got.String()
}

func newStream(t *testing.T, resp *http.Response) *stream { return &stream{t: t, body: resp.Body} }
