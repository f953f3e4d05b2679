package legacy

import "encke/cause"

// Framing is how the clients of a protocol put their sockets into one stream of bytes that
// another protocol carries.
type Framing struct {
	// Mark is what the decimal digits are followed by that each stream of the framing begins
	// with; 0: it begins in another way.
	Mark byte

	// Apart says that clients take each packet of the carrier for one frame.
	Apart bool

	// Open begins a stream of a client.
	Open func(*Sockets) Stream
}

// Stream is the proxy's end of one framed stream.
type Stream interface {
	// Receive takes the next bytes of the client, in pieces of any size. It does not wait
	// and keeps none of p. An error ends the stream.
	Receive(p []byte) error
}

// Carrier is the way to the client of a stream.
type Carrier interface {
	// Origin is the origin of the client's page.
	Origin() string

	// Send sends p, one frame, when the client has taken enough of what was sent before. An
	// error says that the stream is over.
	Send(p []byte) error

	// Answer is Send for what the client has asked for: it does not wait for that.
	Answer(p []byte)

	// End ends the stream behind what was sent.
	End()
}

// over is the error of sending on a stream that has ended.
var errOver = cause.SessionLost.With("the stream is over")
