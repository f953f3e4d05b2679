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
// One loop (downlink.go) serves them all, one reader (uplink.go) takes what pages
// send. The WebSocket has its own file, since it carries both ways and gives
// net/http its goroutine back.
//
//	request -> origin -> uplink: records -> csp.Server.Open or Resume
//	        -> Session.Deliver -> (downlinks) Session.Attach -> batches -> response
//
// Who may use a session at all is decided in origin.go, on every request.
package transports
