// Package csp is the session protocol: one reliable, ordered byte stream each
// way that survives the links it travels on. PROTOCOL.md in this folder
// specifies the wire.
//
// It knows sessions, packets and acknowledgements. It does not know HTTP, nor
// what the bytes mean: a transport (package transports) carries packets, a
// Handler (package tcpsocket's Mux) gets the bytes.
//
//	server := csp.NewServer(csp.Options{Accept: func(s *csp.Session) csp.Handler { return newMux(s) }})
//	s, _, err := server.Open(peer, key)            // a link asked for a new session
//	s, err := server.Resume(id)                    // or for one it knows
//	link, err := s.Attach(ack, wake)               // this link now carries packets away
//	batch, ok := link.Take(max)                    // what to send next; batch.Release when written
//	got, err := s.Deliver(packets, false)          // what the link brought
//	link.Detach()                                  // the link broke; the session waits for the next
//
// States of a Session:
//
//	       Attach
//	open <---------> lingering --- Linger passed ---> closed(session-lost)
//	  |   Detach         |
//	  +------------------+--- Close, or END both ways ---> closed(cause)
//
// Invariants:
//   - A packet is kept until it is acknowledged; nothing else removes it while
//     the session lives.
//   - Handler.Receive gets every byte once, in order, one call at a time.
//   - At most one Link is attached; a newer one displaces it.
//   - Unacknowledged and reserved bytes stay below the bound, which only Send
//     without Reserve (control frames, bounded by their number) may exceed.
//   - No lock is held while a Handler, a wake function or a caller's callback
//     runs, except Session.deliver, which orders deliveries and is held over
//     Handler.Receive. A session starts no goroutine.
package csp
