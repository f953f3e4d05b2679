package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
)

// link is one WebSocket of a session. The goroutine of the session reads, another
// writes once the proxy has answered.
type link struct {
	s      *session
	ws     *websocket.Conn
	uplink *csp.Link // set by the answer to the hello
	writer sync.WaitGroup

	said    *cause.Error // what the proxy closed the session with
	next    uint64
	packets []csp.Packet
}

// receive takes the next message, which must come within timeout.
func (l *link) receive(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	typ, msg, err := l.ws.Read(ctx)
	cancel()
	if err != nil {
		return err
	}
	if typ != websocket.MessageBinary {
		return errors.New("the proxy sent a text message")
	}
	return l.message(msg)
}

// message takes what the proxy sent.
func (l *link) message(msg []byte) (err error) {
	l.packets = l.packets[:0]
	if l.next, err = csp.Parse(msg, l.next, l.record); err != nil {
		switch over := l.s.csp.Err(); {
		case l.said != nil:
			return l.said
		case over != nil:
			return over
		}
		return fmt.Errorf("something on the way changed the data: %v", err)
	}
	if len(l.packets) > 0 {
		_, err = l.s.csp.Deliver(l.packets, false)
	}
	return err
}

func (l *link) record(r *csp.Record) error {
	switch r.Kind {
	case csp.Close:
		l.said = &cause.Error{Code: cause.FromWire(r.Cause), Text: string(r.Text), Retry: int(min(r.Retry, 3600))}
		return l.said
	case csp.Welcome, csp.Ack:
		if l.uplink != nil {
			return l.s.csp.Acked(r.ID)
		}
		l.s.welcome(r)
		return l.attach(r.ID)
	}
	if l.uplink == nil {
		return errors.New("the proxy did not answer the hello first")
	}
	switch r.Kind {
	case csp.Data, csp.End:
		l.packets = append(l.packets, csp.Packet{ID: r.ID, Data: r.Data, End: r.Kind == csp.End})
	case csp.Ping:
		l.uplink.Answer()
	}
	return nil
}

func (l *link) attach(ack uint64) error {
	uplink, err := l.s.csp.Attach(ack, nil)
	if err != nil {
		return err
	}
	l.uplink = uplink
	l.writer.Go(func() { // ends with the session, or by Detach
		if err := l.write(); err == nil {
			l.ws.Close(websocket.StatusNormalClosure, "")
		}
		l.ws.CloseNow()
	})
	return nil
}

// write sends what the session has, until the session is over.
func (l *link) write() error {
	var b csp.Batch
	for {
		ok, err := l.uplink.Next(context.Background(), linkSilence/2, &b, 64<<10)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !ok {
			l.uplink.Probe()
			continue
		}
		out := csp.Binary.Append(nil, &b)
		b.Release()
		ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
		err = l.ws.Write(ctx, websocket.MessageBinary, out)
		cancel()
		if err != nil {
			return err
		}
	}
}

// end gives the link up. When it is the session that is over, the proxy is told first: what
// was read may have come before it knew.
func (l *link) end() {
	if l.s.csp.Err() != nil {
		l.writer.Wait()
	}
	if l.uplink != nil {
		l.uplink.Detach()
	}
	l.ws.CloseNow()
	l.writer.Wait()
}
