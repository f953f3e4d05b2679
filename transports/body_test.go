package transports_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"encke/csp"
	"encke/transports"
)

// offered is a body that ends too early and notes how much room it was offered.
type offered struct{ most, left int }

func (o *offered) Read(p []byte) (int, error) {
	o.most = max(o.most, len(p))
	if o.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), o.left)
	o.left -= n
	return n, nil
}

// Whoever announces a large body and sends little of it holds little: a bound on
// connections is not enough, since one of HTTP/2 carries many requests.
func TestBodiesAreBelievedAsTheyCome(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for _, tt := range []struct{ sent, most int }{
		{0, 8 << 10},
		{10 << 10, 32 << 10},
		{100 << 10, 512 << 10},
	} {
		for _, length := range []int64{csp.MaxBody, -1} {
			body := &offered{left: tt.sent}
			req := httptest.NewRequest(http.MethodPost, "/session/send", io.NopCloser(body))
			req.ContentLength = length
			req.Header.Set("Origin", "http://"+req.Host)
			func() {
				defer func() { recover() }() // how net/http is told to end the connection
				r.h.ServeHTTP(httptest.NewRecorder(), req)
			}()
			if body.most == 0 || body.most > tt.most {
				t.Errorf("of %d bytes announced %d came: room for %d was offered, want at most %d", length, tt.sent, body.most, tt.most)
			}
		}
	}
}
