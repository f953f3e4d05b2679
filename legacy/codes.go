package legacy

import "encke/cause"

// OrbitedCode is the number that Orbited's clients know for a cause.
func OrbitedCode(c cause.Code) int {
	switch c {
	case cause.BadTarget:
		return InvalidHandshake
	case cause.TimedOut:
		return RemoteConnectionTimeout
	case cause.Denied, cause.NotAuthenticated:
		return Unauthorized
	case cause.NameNotFound, cause.Refused, cause.Unreachable, cause.Limit, cause.TLSFailed, cause.Internal:
		return RemoteConnectionFailed
	case cause.ProtocolError:
		return ProtocolError
	}
	return RemoteConnectionClosed
}

// The numbers of Orbited 0.7 and 0.8.
const (
	InvalidHandshake        = 102
	UserConnectionReset     = 103
	RemoteConnectionTimeout = 104
	Unauthorized            = 106
	RemoteConnectionFailed  = 108
	RemoteConnectionClosed  = 109
	ProtocolError           = 110
)
