package app_test

import (
	"io"
	"net/http"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

// A path that http.ServeMux would clean is not found. Its redirect would repeat the
// request in HTML, and would come before the Host is looked at.
func TestNoPathIsRedirected(t *testing.T) {
	for _, prefix := range []string{"", "/tcp"} {
		a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Prefix: prefix})
		root := "http://" + a.Addr().String()
		for _, path := range []string{
			"//a", "/a//b", "/a/../b", "/./a", "/..", prefix + "/x/../TCPSocket.js", prefix + "//TCPSocket.js?<b>", prefix + "/session", prefix + "?<b>", "/tcp", "/%2e/a/..",
		} {
			for _, host := range []string{a.Addr().String(), "evil.test"} {
				req, err := http.NewRequest("GET", root+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Host = host
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 404 && (host != "evil.test" || resp.StatusCode != 421) || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("%s at %s: %d %s %q", path, host, resp.StatusCode, resp.Header.Get("Content-Type"), body)
				}
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
