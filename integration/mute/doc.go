// Package mute is a page that reads nothing: it opens a session over any transport, has a
// socket opened to a backend, and takes nothing after the answer to its hello. What comes
// for it stays with the proxy.
//
//	m := &mute.Page{Proxy: "127.0.0.1:8000", Transport: "eventsource", Host: "127.0.0.1", Port: 6667}
//	err := m.Link(ctx) // opens the session; again: takes its place on a new link
//	m.Close()
//
// The proxy must run with --node mute, by which the id of the session is found in answers.
package mute
