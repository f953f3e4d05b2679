package orbited07

import (
	"strings"
	"time"
)

// transport is one way of the downstream: how packets look in its responses, and when
// these end.
type transport struct {
	kind   string // content type
	first  string // what a response begins with
	before string // stands before a batch of packets
	after  string // and behind it
	encode func(dst []byte, packets []packet) []byte
	beat   string        // is written when nothing was for a while
	every  time.Duration // so long

	wait   bool // for packets, when there are none
	stream bool // more packets follow the first ones
	count  int  // packets of one response; 0: any number
	bytes  int  // after which a response ends; 0: it does not
	html   bool // a page in a frame
}

const (
	// maxPackets keeps a client below the 2,000 strings that its parser takes at once.
	maxPackets = 600

	// maxBytes is after how many bytes a stream ends. The client keeps all of it until then.
	maxBytes = 1 << 20

	// pollHold is how long a long poll is held, and the silence of an event stream.
	pollHold = 30 * time.Second

	// streamBeat is the silence of other streams: their clients give one up after 6 s.
	streamBeat = 5 * time.Second
)

const text = "text/plain; charset=utf-8"

// byName are the transports of the client by the last element of their path.
var byName = map[string]*transport{
	"longpoll": {kind: text, encode: appendCounted, every: pollHold, wait: true, count: maxPackets},
	"poll":     {kind: text, encode: appendCounted, count: maxPackets},
	"xhrstream": {
		kind: "application/x-orbited-event-stream", first: strings.Repeat(" ", 256), encode: appendCounted,
		beat: "x", every: streamBeat, wait: true, stream: true, count: maxPackets, bytes: maxBytes,
	},
	"htmlfile": {
		kind: "text/html; charset=utf-8", first: framePage, before: "<script>e(", encode: appendJSON, after: ")</script>",
		beat: "<script>h();</script>", every: streamBeat, wait: true, stream: true, bytes: maxBytes, html: true,
	},
	"sse": {
		kind: "application/x-dom-event-stream", before: "Event: payload\ndata: ", encode: appendJSON, after: "\n\n",
		beat: "Event: heartbeat\n\n", every: pollHold, wait: true, stream: true,
	},
}

// framePage is where an htmlfile begins: the script first, then enough for browsers that
// do not look at less.
var framePage = pad("<html>\r\n <head>\r\n  <script src=\"../static/HTMLFileFrame.js\"></script>\r\n </head>\r\n <body>", 256) + "\n"

// closedPage is the htmlfile of a session that is over.
const closedPage = "<html>\r\n <head>\r\n  <script src=\"../../static/HTMLFileClose.js\"></script>\r\n </head>\r\n <body></body>\r\n</html>\n"

func pad(s string, n int) string { return s + strings.Repeat(" ", n-len(s)) }

// appendBatch appends packets, of which there is at least one.
func (t *transport) appendBatch(dst []byte, packets []packet) []byte {
	dst = append(dst, t.before...)
	dst = t.encode(dst, packets)
	return append(dst, t.after...)
}
