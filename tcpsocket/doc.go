// Package tcpsocket carries many TCP sockets over one session. PROTOCOL.md in
// this folder specifies the frames.
//
// On the proxy a Server makes a Mux for each session; the Mux dials what the page
// asks for (through an Opener, which holds the allow-list) and relays. On a Go
// client a Client is the other end; its sockets are net.Conns. Both know nothing
// of sessions, links or HTTP: they use a Sender and are given bytes.
//
//	server := tcpsocket.NewServer(tcpsocket.NewDialer(rules, tcpsocket.DialOptions{}), tcpsocket.Options{})
//	mux := server.Mux(session, tcpsocket.Caller{...})  // mux gets Receive, Writable and Closed
//
// Who does what, for one socket of a Mux:
//
//	page -> Mux.Receive -> written to the backend at once, by the goroutine that
//	        brought it; what the backend does not take is queued (at most the
//	        window) and a writer goroutine lives until the queue is empty
//	backend -> the socket's own goroutine reads when there is something to read,
//	        the window is open and the session has room -> Sender.Send
//
// An idle socket therefore costs one parked goroutine and no buffer. Sockets that
// wait for room in the session take turns, first come first served, at most one
// buffer each.
//
// Invariants:
//   - Receive never blocks: a socket's queue is bounded by its window.
//   - A socket's goroutine is the only one that reads its backend.
//   - Locks are taken in the order socket, mux; neither is held while a Sender
//     or a backend is used.
package tcpsocket
