package faults

import (
	"encke/integration/peer"
)

// row is a fault and what must be true after it.
type row struct {
	number int
	fault  string
	holds  string // what must be true after it, beside the invariants
	short  bool   // runs, perhaps abridged, with the ordinary tests
	run    func(*fault)
	not    map[string]string // transports on which it means nothing, and why
}

const (
	oneConnection = "one TCP connection keeps messages in their order and sends none twice"
	noAnswers     = "there are no answers to requests that could be lost"
	browserChoice = "" // the row is run once for the page's choice among all transports
)

// rows are the faults, by the numbers they have in the plan of tests. A new row goes in
// its place here, and its code into a file of its own.
var rows = []row{
	{1, "the client's links are reset after N bytes of a small exchange, for every N",
		"the session resumes at once", true, cutsAt(way{both, reset}), nil},
	{2, "the same with FIN, in the middle of frames, chunks and bodies",
		"half a request has no effect, the session resumes", true, cutsAt(way{both, fin}), nil},
	{7, "the answer is lost after N bytes of its head and body, for every N",
		"the same packets come again and are taken once", true, cutsAt(way{down, reset}),
		map[string]string{"websocket": noAnswers}},
	{8, "an acknowledgement or request is lost after N bytes, for every N",
		"what is sent again does no harm", true, cutsAt(way{up, reset}), nil},
}

// transports are the columns.
var transports = peer.Transports()
