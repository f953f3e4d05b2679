package wisp

import "encke/cause"

// Reasons of CLOSE that the protocol names and we use.
const (
	reasonUnknown      = 0x01
	reasonVoluntary    = 0x02
	reasonNetwork      = 0x03
	reasonIncompatible = 0x04 // of stream 0
	reasonInvalid      = 0x41
	reasonUnreachable  = 0x42
	reasonNoAnswer     = 0x43
	reasonRefused      = 0x44
	reasonTimedOut     = 0x47
	reasonBlocked      = 0x48
	reasonThrottled    = 0x49
	reasonBadPassword  = 0xc0 // of stream 0
	reasonNoPassword   = 0xc2 // of stream 0
)

// reasons are what a client is told of the end of a stream.
var reasons = [cause.Count]byte{
	cause.Closed:           reasonVoluntary,
	cause.Denied:           reasonBlocked,
	cause.BadTarget:        reasonInvalid,
	cause.NameNotFound:     reasonUnreachable,
	cause.Refused:          reasonRefused,
	cause.Unreachable:      reasonUnreachable,
	cause.TimedOut:         reasonNoAnswer, // of a stream that was open: reasonTimedOut
	cause.Reset:            reasonNetwork,
	cause.Idle:             reasonTimedOut,
	cause.Limit:            reasonThrottled,
	cause.TLSFailed:        reasonUnreachable,
	cause.NotAuthenticated: reasonBlocked,
	cause.GoingAway:        reasonVoluntary,
	cause.SessionLost:      reasonUnknown,
	cause.ProtocolError:    reasonInvalid,
	cause.Displaced:        reasonUnknown,
	cause.NoTransport:      reasonUnknown,
	cause.Internal:         reasonUnknown,
}
