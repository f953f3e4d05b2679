package cspdraft

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"encke/cause"
)

// variables are those that a session keeps until they are set again.
type variables struct {
	requestPrefix, requestSuffix string
	preamble                     string
	batchPrefix, batchSuffix     string
	contentType                  string // a key of contentTypes
	duration, interval           time.Duration
	prebuffer                    int // spaces
	streaming, sse               bool
}

var defaults = variables{contentType: "text/html", duration: 30 * time.Second}

// Bounds of numbers: larger ones are cut.
const (
	maxSeconds   = 60
	maxPrebuffer = 4096
)

// request is what the variables of one request say.
type request struct {
	variables          // of the session, with those of the request
	key       string   // of the session
	ack       uint64   // highest packet that the client has
	data      []byte   // packets
	set       []string // names and values of variables, in pairs
}

// parse reads a query: pairs that '&' separates. Semicolons are part of values, as the
// draft's own examples have them, and so is '+', which no client sends for a space.
func (q *request) parse(query string) {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.PathUnescape(name)
		value, err2 := url.PathUnescape(value)
		if err1 != nil || err2 != nil {
			continue // a value that cannot be read is ignored
		}
		switch name {
		case "s":
			q.key = value
		case "a":
			q.acknowledge(value)
		case "d":
			q.data = []byte(value)
		default:
			q.set = append(q.set, name, value)
		}
	}
}

// acknowledge takes the value of a; one that is no number acknowledges nothing.
func (q *request) acknowledge(value string) { q.ack, _ = strconv.ParseUint(value, 10, 53) }

// lastEventID takes over what a browser that has reconnected by itself says it has: its URL
// is the old one.
func (q *request) lastEventID(h http.Header) {
	if id := h.Get("Last-Event-Id"); id != "" {
		q.acknowledge(id)
	}
}

// over sets the variables of the request over those of the session, all or none.
func (q *request) over(v variables) error {
	for i := 0; i < len(q.set); i += 2 {
		if !v.put(q.set[i], q.set[i+1]) {
			return cause.ProtocolError.With("a variable has a value that is not served here")
		}
	}
	q.variables = v
	return nil
}

// put sets one variable. It refuses text that is not in the lists of profiles.go; a number
// that is none is ignored, as the draft has it.
func (v *variables) put(name, value string) (ok bool) {
	text := func(p *string, list []string, callback bool) bool {
		if callback && isCallback(value) {
			*p = value
			return true
		}
		s, ok := one(list, value)
		if ok {
			*p = s
		}
		return ok
	}
	switch name {
	case "rp":
		return text(&v.requestPrefix, suffixes[:1], true)
	case "rs":
		return text(&v.requestSuffix, suffixes, false)
	case "p":
		return text(&v.preamble, preambles, false)
	case "bp":
		return text(&v.batchPrefix, batchStarts, true)
	case "bs":
		return text(&v.batchSuffix, batchEnds, false)
	case "ct":
		_, ok := contentTypes[value]
		if ok {
			v.contentType = value
		}
		return ok
	case "du":
		seconds(&v.duration, value)
	case "i":
		seconds(&v.interval, value)
	case "ps":
		if n, ok := number(value, maxPrebuffer); ok {
			v.prebuffer = n
		}
	case "is":
		v.streaming = value == "1"
	case "se":
		v.sse = value == "1"
	}
	return true // others mean nothing: n only makes a URL new, g allows compression, which there is not
}

func seconds(d *time.Duration, value string) {
	if n, ok := number(value, maxSeconds); ok {
		*d = time.Duration(n) * time.Second
	}
}

// number reads plain digits, ten at most, and cuts what is above most.
func number(s string, most int) (int, bool) {
	if len(s) == 0 || len(s) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c-'0' > 9 {
			return 0, false
		}
		n = min(n*10+int(c-'0'), most)
	}
	return n, true
}
