package transports_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"encke/buffer"
	"encke/csp"
	"encke/transports"
)

// Messages and bodies that are half sent count too, and are given up when memory
// is short: the client sends them again. Small ones still pass.
func TestHalfSentMessagesAreCounted(t *testing.T) {
	budget := buffer.NewBudget(1 << 20)
	r := newRig(t, transports.Options{}, csp.Options{Budget: budget})
	ws := r.websocket()
	r.say(ws, r.hello())
	id := string(r.hear(ws)[0].Session)
	others := budget.Account()
	others.Set(930 << 10)
	defer others.Set(0)

	r.say(ws, packets(1, "small"))
	for said := ""; said != "small"; {
		for _, rec := range r.hear(ws) {
			said += string(rec.Data)
		}
	}
	ws.Write(t.Context(), websocket.MessageBinary, packets(2, strings.Repeat("x", 100<<10)))
	if code := r.closed(ws); code != websocket.StatusTryAgainLater {
		t.Errorf("a large message was answered with %d, want %d", code, websocket.StatusTryAgainLater)
	}
	large := join(resume(id, 1), packets(2, strings.Repeat("x", 100<<10)))
	if resp, err := r.client.Do(r.request(http.MethodPost, "send", large)); err == nil {
		t.Errorf("a large body was answered with %d, want none", resp.StatusCode)
		resp.Body.Close()
	}
	if used := budget.Used(); used > 940<<10 {
		t.Errorf("%d bytes are counted after them", used)
	}

	others.Set(0)
	recs := r.records(r.post("send", large))
	if len(recs) == 0 || recs[0].Kind != csp.Ack || recs[0].ID != 2 {
		t.Errorf("with room again: %v", recs)
	}
}
