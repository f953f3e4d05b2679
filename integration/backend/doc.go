// Package backend holds TCP servers for end-to-end tests: each does one thing a real
// server may do to a socket, and knows afterwards what happened to it.
//
//	b := backend.Echo(t)
//	... b.Addr(), b.Host(), b.Port() ...
//	s := backend.Source(t, 7, 16<<20)   // sends stream 7, then FIN
//	s.Written()                         // how much the other side has taken so far
//
// Bulk data is a keyed pseudo-random stream that is checked by position (stream.go, and
// the same in pages/stream.js), so that a lost, doubled or moved byte is found where it
// is. A backend that finds wrong bytes fails its test. All listen on 127.0.0.1 on a
// free port and end with their test.
package backend
