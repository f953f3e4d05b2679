package peer

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"encke/csp"
)

// how is what distinguishes a technique on the wire.
type how struct {
	name string
	send string // path of the uplink; empty: the link itself, a WebSocket
	get  bool   // records go in the query
	poll bool   // an answer is complete before it is used
	// batch takes the next whole batch of the text encoding off the front of an
	// answer, nil: none is whole yet. Nil function: binary records.
	batch func(answer []byte) (batch, rest []byte)
}

var techniques = []how{
	{name: "websocket"},
	{name: "fetch-streaming", send: "send"},
	{name: "xhr-streaming", send: "send", batch: line},
	{name: "eventsource", send: "send", get: true, batch: event},
	{name: "long-polling", send: "send", poll: true},
	{name: "iframe", send: "send", get: true, batch: element},
	{name: "jsonp", send: "jsonp-send", get: true, poll: true, batch: call},
}

// Transports are the names of all techniques.
func Transports() []string {
	var names []string
	for _, h := range techniques {
		names = append(names, h.name)
	}
	return names
}

func technique(name string) (how, error) {
	for _, h := range techniques {
		if h.name == name {
			return h, nil
		}
	}
	return how{}, fmt.Errorf("unknown transport %q; the transports are %s", name, strings.Join(Transports(), ", "))
}

// line is a line of responseText.
func line(p []byte) (batch, rest []byte) {
	batch, rest, whole := bytes.Cut(p, []byte("\n"))
	if !whole {
		return nil, p
	}
	return batch, rest
}

// event is the data of one event of an event stream.
func event(p []byte) (batch, rest []byte) {
	text, rest, whole := bytes.Cut(p, []byte("\n\n"))
	if !whole {
		return nil, p
	}
	for _, l := range bytes.Split(text, []byte("\n")) {
		if data, ok := bytes.CutPrefix(l, []byte("data: ")); ok {
			batch = data
		}
	}
	if batch == nil {
		batch = []byte("no data in this event")
	}
	return batch, rest
}

// element is the text of one <i> of the page in the frame.
func element(p []byte) (batch, rest []byte) {
	_, from, begun := bytes.Cut(p, []byte("<i>"))
	batch, rest, whole := bytes.Cut(from, []byte("</i><b></b>"))
	if !begun || !whole {
		return nil, p
	}
	return batch, rest
}

// callback is the function that scripts call.
const callback = "encke.test"

// call is the second argument of a script's one call; the first is checked by whoever
// knows it.
func call(p []byte) (batch, rest []byte) {
	_, args, begun := bytes.Cut(p, []byte("/**/"+callback+"("))
	_, batch, second := bytes.Cut(args, []byte(","))
	batch, whole := bytes.CutSuffix(batch, []byte(");"))
	if !begun || !second || !whole {
		return nil, p
	}
	return batch, nil
}

// reader takes an answer apart into records, whose bytes it copies.
type reader struct {
	how     how
	binary  csp.Decoder // of a stream
	next    uint64      // of WebSocket messages: the id of the next packet
	rest    []byte
	records []csp.Record
}

func (r *reader) add(one *csp.Record) error {
	kept := *one
	kept.Data, kept.Session, kept.Text = bytes.Clone(one.Data), bytes.Clone(one.Session), bytes.Clone(one.Text)
	r.records = append(r.records, kept)
	return nil
}

// feed returns the records that p completes. They are valid until the next call.
func (r *reader) feed(p []byte) ([]csp.Record, error) {
	r.records = r.records[:0]
	if r.how.batch == nil {
		return r.records, r.binary.Feed(p, r.add)
	}
	r.rest = append(r.rest, p...)
	for {
		batch, rest := r.how.batch(r.rest)
		if batch == nil {
			return r.records, nil
		}
		if err := csp.ParseText(batch, r.add); err != nil {
			return r.records, err
		}
		r.rest = bytes.Clone(rest)
	}
}

// message returns the records of one WebSocket message.
func (r *reader) message(p []byte) (_ []csp.Record, err error) {
	r.records = r.records[:0]
	r.next, err = csp.Parse(p, r.next, r.add)
	return r.records, err
}

// whole returns the records of a complete answer.
func (r *reader) whole(p []byte) ([]csp.Record, error) {
	r.records = r.records[:0]
	if r.how.batch == nil {
		_, err := csp.Parse(p, 0, r.add)
		return r.records, err
	}
	records, err := r.feed(p)
	if err == nil && (len(r.rest) > 0 || len(p) == 0) {
		err = io.ErrUnexpectedEOF
	}
	return records, err
}
