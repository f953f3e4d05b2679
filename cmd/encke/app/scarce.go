package app

import (
	"context"
	"net"

	"encke/cause"
	"encke/csp"
	"encke/edge"
	"encke/tcpsocket"
	"encke/whitelist"
)

// scarce opens connections to backends while there are descriptors for them.
type scarce struct {
	tcpsocket.Opener
	descriptors *edge.Descriptors
}

// Open connects to dest, or fails with limit.
func (s scarce) Open(ctx context.Context, caller tcpsocket.Caller, dest whitelist.Dest, opts tcpsocket.OpenOptions) (net.Conn, error) {
	if s.descriptors.Out() {
		return nil, cause.Limit.With("the proxy has no descriptor left")
	}
	return s.Opener.Open(ctx, caller, dest, opts)
}

// admit says whether a session may be opened: not when descriptors are scarce, since
// the rest is for the sockets of the sessions there are, and not when its address has
// enough.
func (a *App) admit(p csp.Peer) (release func(), err error) {
	if a.descriptors.Scarce() {
		return nil, &cause.Error{Code: cause.Limit, Text: "the proxy is out of descriptors", Retry: 10}
	}
	return a.handler.Admit(p)
}
