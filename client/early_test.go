package client

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
)

// The hello goes with the request, and once more only when the answer does not say that it was
// taken.
func TestHelloGoesWithTheRequest(t *testing.T) {
	for name, takes := range map[string]bool{"a proxy that takes it": true, "one that does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				helloes := make(chan csp.Key, 2)
				s := sessionWith(t, func(w http.ResponseWriter, r *http.Request) {
					var names []string
					var msg []byte
					if takes {
						names = []string{"encke"}
						_, text, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
						msg, _ = base64.RawURLEncoding.DecodeString(strings.TrimSpace(text))
					}
					ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: names})
					if err != nil {
						t.Error(err)
						return
					}
					defer ws.CloseNow()
					for err == nil {
						csp.Parse(msg, 0, func(r *csp.Record) error {
							if r.Kind == csp.New {
								helloes <- r.Key
								welcome := csp.Record{Kind: csp.Welcome, Session: []byte("n0.x"), Window: 120, Heartbeat: 25}
								ws.Write(t.Context(), websocket.MessageBinary, welcome.Append(nil))
							}
							return nil
						})
						_, msg, err = ws.Read(context.Background())
					}
				})
				if key := <-helloes; key != s.key {
					t.Errorf("NEW with key %x, want %x", key, s.key)
				}
				time.Sleep(time.Second) // fake: whatever else the client says has come
				if len(helloes) > 0 {
					t.Error("a second NEW")
				}
				s.csp.Close(cause.Closed.Err())
				<-s.done
				time.Sleep(time.Minute) // fake: what the end waits for
			})
		})
	}
}
