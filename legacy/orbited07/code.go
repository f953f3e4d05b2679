package orbited07

import (
	"strconv"

	"encke/cause"
)

// code is what a client's onclose gets when its socket could not be opened.
type code int

const (
	invalidHandshake       code = 102
	unauthorized           code = 106
	remoteConnectionFailed code = 108
)

// codes are the codes of causes. What is not in it is remoteConnectionFailed: the client
// knows no other, not even for a backend that does not answer in time.
var codes = map[cause.Code]code{
	cause.BadTarget:        invalidHandshake,
	cause.ProtocolError:    invalidHandshake,
	cause.Denied:           unauthorized,
	cause.NotAuthenticated: unauthorized,
}

// codeOf returns the code of a cause.
func codeOf(c cause.Code) code {
	if known, ok := codes[c]; ok {
		return known
	}
	return remoteConnectionFailed
}

// answer is the answer to a handshake that failed.
func (c code) answer() string { return "0" + strconv.Itoa(int(c)) }

// connected is the answer to one that did not.
const connected = "1"

// Reasons of close packets. Clients do not look at them.
const (
	loseConnection = "loseConnection" // the backend is gone, or the session is
	closeAcked     = "close acked"    // the client has closed
	timeout        = "timeout"        // the client has not answered a ping
)

// reasonOf returns the reason for the end of a session.
func reasonOf(c cause.Code) string {
	switch c {
	case cause.Closed:
		return closeAcked
	case cause.Idle:
		return timeout
	}
	return loseConnection
}
