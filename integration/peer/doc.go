// Package peer is a client for tests that carries one session over any technique the
// proxy speaks, and moves it from one to another while it lives. It is written from
// csp/PROTOCOL.md and shares with the proxy only the packages csp and tcpsocket: what
// browsers do with the techniques, package browser shows.
//
//	p, err := peer.Dial(ctx, peer.Options{Base: "http://127.0.0.1:8000", Transport: "long-polling"})
//	conn, err := p.Open(ctx, "127.0.0.1", 6667) // half-closes with CloseWrite
//	p.Cut()                                     // resets the TCP connections; it resumes by itself
//	err = p.Switch(ctx, "websocket")            // the session goes on there
//	p.Stats().Resumes, p.Err(), p.Close()
//
// It behaves well: it repeats requests whose answers were lost, notices links that are
// silent for longer than the protocol allows, and gives up when the resume window is
// over. What misbehaves is the relay in front of it, or the raw HTTP of a test.
//
// A carrier carries the session over one technique. It has a goroutine for downlinks, one
// after the other, and one for the uplink. Only while the session moves are there two
// carriers; then the older one waits and opens no link.
package peer
