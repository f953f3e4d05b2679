package edge_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"encke/edge"
)

// What the framing takes, net/http takes too, and both see the same requests end at
// the same places: nothing is hidden from either.
func FuzzFraming(f *testing.F) {
	for _, tt := range malformed {
		f.Add([]byte(tt.request + last))
	}
	for _, tt := range wellFormed {
		f.Add([]byte(tt.request + last))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		n, ok := edge.Requests(p)
		if cut, ok2 := edge.Requests(append([]byte(nil), p...)); cut != n || ok2 != ok {
			t.Fatal("not the same twice")
		}
		r := bufio.NewReader(bytes.NewReader(p))
		for i := range n {
			req, err := http.ReadRequest(r)
			if err != nil {
				if strings.Contains(err.Error(), "invalid URL escape") || strings.Contains(err.Error(), "parse ") {
					return // refused by net/http: the connection ends there
				}
				t.Fatalf("request %d of %d in %q: net/http: %v", i+1, n, p, err)
			}
			if req.Header.Get("Upgrade") != "" {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				t.Fatalf("the body of request %d of %d in %q: net/http: %v", i+1, n, p, err)
			}
		}
		if !ok {
			return // the rest is refused here
		}
		// What is left is the begin of a request to net/http too.
		if req, err := http.ReadRequest(r); err == nil {
			if _, err := io.Copy(io.Discard, req.Body); err == nil {
				t.Fatalf("%q: net/http sees more than %d requests", p, n)
			}
		}
	})
}
