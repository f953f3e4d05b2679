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
	noAnswers = "there are no answers to requests that could be lost"
)

// rows are the faults, by the numbers they have in the plan of tests. A new row goes in
// its place here, and its code into a file of its own.
var rows = []row{
	{1, "the client's links are reset after N bytes of a small exchange, for every N",
		"the session resumes at once", true, cutsAt(way{both, reset}), nil},
	{2, "the same with FIN, in the middle of frames, chunks and bodies",
		"half a request has no effect, the session resumes", true, cutsAt(way{both, fin}), nil},
	{3, "nothing of the client arrives any more, and nobody says so",
		"the proxy finds out within 45 s, keeps the session for its window, and both sides learn the end", false, halfOpen, nil},
	{4, "the client sleeps, for a little and for long",
		"it is in its session, or is told that this is lost", true, asleep, nil},
	{5, "the client's address changes in the middle of a transfer",
		"the session goes on from the new address, the old connections are let go", true, readdressed, nil},
	{6, "the network goes down for half a second, 20 times",
		"the session lives, nothing grows", false, flaps, nil},
	{7, "the answer is lost after N bytes of its head and body, for every N",
		"the same packets come again and are taken once", true, cutsAt(way{down, reset}),
		map[string]string{"websocket": noAnswers}},
	{8, "an acknowledgement or request is lost after N bytes, for every N",
		"what is sent again does no harm", true, cutsAt(way{up, reset}), nil},
	{9, "every request arrives two and three times, also at the same instant",
		"the backend sees its bytes once", true, twice, nil},
	{10, "requests overtake each other, 2 to 8 under way; then one is too far ahead",
		"the backend sees them in order; then the cause is protocol-error", true, reordered, nil},
	{11, "one packet never comes",
		"nothing after it is delivered; within 30 s the cause is protocol-error", false, gap, nil},
	{12, "a box holds answers back until there are 1, 4, 16 or 64 KiB",
		"a page notices within 5 s, polls, and remembers", true, heldBack, notStreams},
	{13, "a box holds answers back until they end",
		"a page notices within 5 s, polls, and remembers", true, heldToTheEnd, notStreams},
	{14, "a box cuts answers that were silent for 10, 30 or 60 s",
		"a page asks for answers that are shorter than 10 s, and never needs 30; the application sees nothing of it", false, impatient,
		map[string]string{"websocket": "what a box cuts there is a connection: rows 1 and 2"}},
	{15, "a box drops Upgrade, or passes no frame of a WebSocket, or one",
		"a page notices within 5 s and goes elsewhere", true, mutilated, onlyWebSocket},
	{16, "a box caches, repeats requests by itself, compresses, adds a charset",
		"no byte is lost or doubled", true, rewritten,
		map[string]string{"websocket": "a box sees no requests and answers in a WebSocket"}},
	{17, "1, 10 and 30 % of packets lost; 800 kbit/s; answers 300 ms late",
		"the session lives, and at 10 % no link is taken for dead", false, badLine, nil},
	{18, "a backend reads nothing",
		"what waits for it is bounded; other sockets of the session go on", true, deafBackend, nil},
	{19, "a backend reads 1 KiB a second, and the page closes",
		"everything sent before is delivered; other sockets go on", true, slowBackend, nil},
	{20, "one side ends its direction while the other still sends, and the reverse",
		"the other direction goes on to its own end", true, halfClosed, nil},
	{21, "a backend resets with bytes under way that nobody has read",
		"what came before it is delivered; then the cause is reset", true, resetBackend, nil},
	{22, "nobody listens on the port, it is not allowed, or does not answer; names that are unknown, not answered for, or of hosts inside",
		"the causes are refused, denied, timed-out, name-not-found, timed-out, denied; the session lives", true, unreachable, nil},
	{23, "a name has two addresses, and the first to be tried does not answer",
		"the socket is connected through the other within 1 s", true, halfDead, nil},
	{24, "the backend never stops sending, the line takes 10 KB/s",
		"the backend is held, what the proxy keeps is bounded", false, slowPage, nil},
	{25, "1,000 pages read nothing while backends send",
		"the budget of memory holds; new pages are turned away before others are given up", true, crowd, nil},
	{26, "the proxy is asked to stop while bytes move",
		"what is under way comes to its end, clients are told, exit status 0", true, drained, nil},
	{28, "the proxy is killed and another one takes its place",
		"clients learn that the session is lost, backends that their socket is", true, killed, nil},
	{30, "the proxy runs out of descriptors",
		"existing sessions go on, no spinning, new sessions when there are some again", true, noDescriptors, nil},
	{31, "little memory, and crowds of pages that read nothing",
		"the proxy turns pages away, is not killed and does not spin", false, littleMemory, nil},
	{32, "all threads of the proxy stop for 30 s",
		"no session is given up for it", true, stalled, nil},
	{33, "nobody reads the log",
		"traffic goes on, what was not logged is counted", true, unheard, except("websocket")},
	{34, "records and frames that no client sends; faults of the proxy's own",
		"that session ends with protocol-error or internal; others do not notice", true, poisoned, nil},
	{35, "two others resume the session at once; then they insist",
		"the last one has it, the others are told, no byte is lost; insisting ends it with displaced at most", true, intruded, nil},
	{36, "the session moves to another technique and back, 50 times in mid-transfer",
		"no byte is lost, no pause is longer than 1 s", false, moved, nil},
	{37, "clients send heads or bodies, or read answers, byte by byte",
		"they are shed, others go on being answered", false, slowClients, except("websocket")},
}

// except says that a row is run once, on one transport, since it means the same on all.
func except(one string) map[string]string {
	not := make(map[string]string)
	for _, transport := range transports {
		if transport != one {
			not[transport] = "the row is run once, and does not depend on the transport"
		}
	}
	return not
}

var notStreams = map[string]string{
	"websocket":    "no answer that could be held: row 15 is about it",
	"long-polling": "its answers end: it is what a page falls back to",
	"jsonp":        "its answers end",
}

var onlyWebSocket = func() map[string]string {
	not := make(map[string]string)
	for _, transport := range peer.Transports() {
		if transport != "websocket" {
			not[transport] = "it is no WebSocket"
		}
	}
	return not
}()

// transports are the columns.
var transports = peer.Transports()
