package app_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

func TestStrictTransport(t *testing.T) {
	cert, key, pool := certificate(t)
	over := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Cert: cert, Key: key, Hosts: []string{"proxy.test"}})
	plain := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Hosts: []string{"proxy.test"}})
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer c.CloseIdleConnections()
	for _, tt := range []struct {
		url, host, want string
	}{
		{over.URL() + "/TCPSocket.js", "proxy.test", "max-age=31536000"},
		{over.URL() + "/nothing", "proxy.test", "max-age=31536000"},
		{over.URL() + "/session/send", "proxy.test", "max-age=31536000"},
		{over.URL() + "/TCPSocket.js", "", ""}, // 127.0.0.1
		{plain.URL() + "/TCPSocket.js", "proxy.test", ""},
	} {
		req, err := http.NewRequest("GET", tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Strict-Transport-Security"); got != tt.want {
			t.Errorf("%s at %q: %q, want %q", tt.url, tt.host, got, tt.want)
		}
	}
}
