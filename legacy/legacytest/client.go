package legacytest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/csp"
)

// Client is a client of a CSP session.
type Client struct {
	t    testing.TB
	http *http.Client
	id   string
	sent uint64
	ack  uint64
}

// Client opens a session.
func (r *Rig) Client(t testing.TB) *Client {
	t.Helper()
	c := &Client{t: t, http: r.HTTP(t)}
	var opened struct{ Session string }
	if err := json.Unmarshal([]byte(strings.Trim(c.post("handshake", ""), "()")), &opened); err != nil {
		t.Fatal(err)
	}
	c.id = opened.Session
	return c
}

// HTTP returns a client of the proxy.
func (r *Rig) HTTP(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: r.Dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Send sends packets.
func (c *Client) Send(packets ...string) {
	c.t.Helper()
	if got, err := c.TrySend(c.t.Context(), packets...); err != nil || got != `("OK")` {
		c.t.Fatalf("send was answered by %q, %v", got, err)
	}
	synctest.Wait()
}

// TrySend sends packets and returns the answer.
func (c *Client) TrySend(ctx context.Context, packets ...string) (string, error) {
	var batch []string
	for _, p := range packets {
		c.sent++
		batch = append(batch, fmt.Sprintf(`[%d,1,"%s"]`, c.sent, base64.RawURLEncoding.EncodeToString([]byte(p))))
	}
	return c.try(ctx, "send", "["+strings.Join(batch, ",")+"]")
}

// Next returns the packets that there are now. The end of the session is "(end)".
func (c *Client) Next() []string {
	c.t.Helper()
	synctest.Wait()
	text := strings.TrimSuffix(strings.TrimPrefix(c.post("comet", "du=0"), "("), ")")
	var packets []string
	err := csp.ParseText([]byte(text), func(r *csp.Record) error {
		c.ack = r.ID
		p := string(r.Data)
		if r.Kind == csp.End {
			p = "(end)"
		}
		packets = append(packets, p)
		return nil
	})
	if err != nil {
		return []string{text}
	}
	return packets
}

func (c *Client) post(leaf, body string) string {
	c.t.Helper()
	text, err := c.try(c.t.Context(), leaf, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

func (c *Client) try(ctx context.Context, leaf, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("http://%s/csp/%s?s=%s&a=%d", Host, leaf, c.id, c.ack), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Origin", "http://"+Host)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// Backend returns the next connection to a backend.
func (r *Rig) Backend(t testing.TB) net.Conn {
	t.Helper()
	synctest.Wait()
	select {
	case conn := <-r.Far:
		t.Cleanup(func() { conn.Close() })
		return conn
	default:
		t.Fatal("no backend was connected")
		return nil
	}
}

// Heard returns what the backend gets now.
func Heard(t testing.TB, conn net.Conn) string {
	t.Helper()
	var got []byte
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() { // until stop
		defer close(done)
		b := make([]byte, 64<<10)
		for {
			n, err := conn.Read(b)
			got = append(got, b[:n]...)
			if err == io.EOF {
				got = append(got, "(end)"...)
			}
			select {
			case <-stop:
				return
			default:
			}
			if err != nil {
				<-stop
				return
			}
		}
	}()
	synctest.Wait()
	close(stop)
	conn.SetReadDeadline(time.Unix(1, 0))
	<-done
	conn.SetReadDeadline(time.Time{})
	return string(got)
}
