// Package transports carries sessions (package csp) over what browsers offer:
// WebSocket, streaming responses, EventSource, long polling, iframes and script
// tags. csp/PROTOCOL.md section 5 specifies the requests.
//
// It knows HTTP and sessions, not what the bytes mean.
//
//	handler, err := transports.New(server, transports.Options{Origins: origins})
//	mux.Handle("/session/", handler)
//	...
//	handler.Wait(time.Second) // after server.Close: all WebSockets have ended
//
// Every HTTP technique is a format: how a batch of packets looks in its response.
// One reader (uplink.go) takes what pages send. Answers over HTTP/1 are written beside
// net/http (answer.go), as a WebSocket is, which carries both ways and has its own files;
// those over HTTP/2 by a loop in its handler (downlink.go).
//
//	request -> origin -> uplink: records -> csp.Server.Open or Resume
//	        -> Session.Deliver -> (downlinks) Session.Attach -> batches -> response
//
// Who may use a session at all is decided in origin.go, on every request.
package transports
