// Package cause is the one table of reasons for which a socket or a session
// ends. The same numbers and names are used on the wire, in the browser client,
// in the Go client, in log lines and in metrics. It imports nothing of ours.
package cause

import "fmt"

// Code says why a socket or a session ended. It is what travels on the wire.
type Code uint8

// The codes are part of the protocol: a number is never given a new meaning.
const (
	Closed           Code = 0  // both sides finished; not a failure
	Denied           Code = 1  // the target, the origin or the caller is not allowed
	BadTarget        Code = 2  // the host, port or an option is not well formed
	NameNotFound     Code = 3  // the host name does not resolve
	Refused          Code = 4  // nobody listens on the port
	Unreachable      Code = 5  // no route to the host or network
	TimedOut         Code = 6  // connecting or resolving took too long
	Reset            Code = 7  // the backend or the page cut the connection
	Idle             Code = 8  // nothing happened for longer than allowed
	Limit            Code = 9  // a limit was reached: sockets, bytes, rate
	TLSFailed        Code = 10 // the TLS handshake with the backend failed
	NotAuthenticated Code = 11 // a token is missing or not valid
	GoingAway        Code = 12 // the proxy is stopping; try again
	SessionLost      Code = 13 // the session is unknown, expired or was closed
	ProtocolError    Code = 14 // the peer sent something it must not send
	Displaced        Code = 15 // another link took over the session
	NoTransport      Code = 16 // no transport reached the proxy (found by a client)
	Internal         Code = 17 // a fault in the proxy itself
)

var names = [...]string{
	Closed:           "closed",
	Denied:           "denied",
	BadTarget:        "bad-target",
	NameNotFound:     "name-not-found",
	Refused:          "refused",
	Unreachable:      "unreachable",
	TimedOut:         "timed-out",
	Reset:            "reset",
	Idle:             "idle",
	Limit:            "limit",
	TLSFailed:        "tls-failed",
	NotAuthenticated: "not-authenticated",
	GoingAway:        "going-away",
	SessionLost:      "session-lost",
	ProtocolError:    "protocol-error",
	Displaced:        "displaced",
	NoTransport:      "no-transport",
	Internal:         "internal",
}

// Count is the number of codes; they run from 0 to Count-1.
const Count = len(names)

// String returns the name of the code as users see it, such as "name-not-found".
func (c Code) String() string {
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("cause-%d", uint8(c))
}

// FromWire turns a number received from a peer into a Code. A number that this
// version does not know becomes ProtocolError.
func FromWire(n uint64) Code {
	if n < uint64(Count) {
		return Code(n)
	}
	return ProtocolError
}

// Error is a Code with a text that is safe to show to the other side: it holds
// no address, name or secret that the other side did not send itself.
type Error struct {
	Code  Code
	Text  string // may be empty
	Retry int    // seconds to wait before trying again; 0: not said
}

// Error returns the name of the code, followed by the text if there is one.
func (e *Error) Error() string {
	if e.Text == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Text
}

// Is reports whether target is an *Error with the same code, so that
// errors.Is(err, cause.Denied.Err()) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Err returns an *Error with this code and no text.
func (c Code) Err() *Error { return &Error{Code: c} }

// With returns an *Error with this code and a formatted text.
func (c Code) With(format string, args ...any) *Error {
	return &Error{Code: c, Text: fmt.Sprintf(format, args...)}
}
