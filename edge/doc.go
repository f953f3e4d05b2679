// Package edge stands between the network and net/http. It accepts connections,
// counts them, and looks at what they bring before net/http does:
//
//   - Listener bounds connections, in all and by address, stops accepting before the
//     process is out of descriptors, and never gives up on an error of accepting. It
//     ends TLS and reads PROXY headers.
//   - Conn checks the framing of every HTTP/1 request byte by byte. net/http is
//     tolerant where balancers differ from each other, and what two programs read
//     differently can be used to smuggle a request past the first.
//   - A connection is net/http's for requests only. While it waits for the next one, or
//     for what a long answer is to say, it costs one goroutine with a small stack.
//   - Forwarded finds the client's address behind balancers that are trusted.
//
// It knows nothing of sessions.
//
//	ln := edge.Listen(inner, edge.Options{MaxConnections: 50_000})
//	err := server.Serve(ln) // an http.Server
//
// A WebSocket leaves all this behind: Detach gives the connection below, so that
// what is read and written later costs nothing here.
//
//	TCP -> counted -> PROXY header -> TLS -> Conn -> turn -> net/http
package edge
