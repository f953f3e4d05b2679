package cspdraft

import (
	"errors"
	"net/http"

	"encke/cause"
	"encke/csp"
)

// send delivers packets. It is answered when they are, and they are not while backends do
// not take what came before: nothing else tells a client to wait.
func (a *adapter) send(w http.ResponseWriter, r *http.Request, c *conn, q *request, origin string) {
	packets, err := parsePackets(q.data)
	if err != nil {
		var why *cause.Error
		errors.As(err, &why)
		c.session.Close(why)
		a.refuse(w, err)
		return
	}
	switch {
	case c.sending.Take(r.Context().Done(), c.done):
		defer c.sending.Release()
	case c.session.Err() == nil:
		panic(http.ErrAbortHandler) // nobody is there to be told
	}
	if !c.sockets.Room(r.Context().Done()) && r.Context().Err() != nil {
		return // the client has left and sends them again
	}
	_, err = c.session.Deliver(packets, true)
	switch {
	case errors.Is(err, cause.Closed.Err()):
	case err != nil:
		a.refuse(w, err)
		return
	case c.session.Ended():
		c.session.Close(cause.Closed.Err())
	}
	a.answer(w, q, origin, http.StatusOK, accepted)
}

// parsePackets reads a batch, or nothing at all: then the request only acknowledges. All of it is read before any packet has an effect.
func parsePackets(batch []byte) ([]csp.Packet, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	var packets []csp.Packet
	err := csp.ParseText(batch, func(r *csp.Record) error {
		switch r.Kind {
		case csp.Data, csp.End:
			packets = append(packets, csp.Packet{ID: r.ID, Data: r.Data, End: r.Kind == csp.End})
			return nil
		}
		return cause.ProtocolError.With("an item that is no packet")
	})
	return packets, err
}

// variables returns those of the session now.
func (c *conn) variables() variables {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vars
}

// remember keeps variables for later requests; answers under way have theirs.
func (c *conn) remember(v variables) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vars = v
}
