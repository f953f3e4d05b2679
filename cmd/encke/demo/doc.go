// Package demo is what `encke demo` adds to the proxy: three small TCP servers
// for the pages to talk to, and the handler that serves the pages.
//
//	b, err := demo.Start()            // broker, echo and counter on loopback
//	defer b.Close()
//	rules := b.Allow()                // what the whitelist must let through
//	pages := demo.Handler(b)          // mount below PREFIX/demo/
//	mux.Handle("/demo/", http.StripPrefix("/demo", pages))
//
// The servers are real ones: an MQTT broker, an echo server with half-close and
// a server that counts. Each takes a free port of 127.0.0.1, so that nothing but
// this machine reaches them directly and nothing has to be configured. The pages
// learn the ports from demo.json.
//
// The package knows nothing of sessions, transports or the whitelist: to it the
// proxy is one more TCP caller.
//
// Invariants:
//   - When Close returns, every connection and goroutine of the servers has ended.
//   - A page that is served carries a policy that allows no inline script, no
//     inline style and nothing from another origin.
package demo
