// Package integration tests the whole of Encke: pages in real browsers speak through
// the encke command to real servers. There is nothing to import; run
//
//	sh integration/install.sh          # browsers, servers and npm packages, once
//	go test ./integration/...
//	go test ./integration -run TestMatrix/chromium/websocket -v
//
// What is where:
//
//	matrix_test.go     every transport x every scenario, in Chromium and in Firefox
//	servers_test.go    npm clients in a page speak to real servers
//	balancers_test.go  with HAProxy or nginx and a web server in front, one origin for all
//	latency_test.go    prints how long an echo takes on each transport
//	imports_test.go    which of our packages may import which
//	wsframes/          WebSocket frames, good and bad, byte by byte
//	pages/             the page's half of the scenarios
//	clients/ bundle/   npm clients over TCPSocket, and what makes scripts of them
//	faults/            breaks what lies between a page and a backend, row by row; its own doc
//	box/               an HTTP intermediary with bad habits, in front of the proxy
//	browser/ relay/ backend/ servers/ proxy/ peer/
//	                   drive a browser, cut links, be a TCP server, run a daemon, run
//	                   encke, be a client in Go that speaks every technique
//	mute/              a page that reads nothing
//	memory/ soak/      1,000 of these; everything failing for hours (make memory, make soak)
//	netns/ process/    networks of their own that tests may break (needs root); a process
//	                   as its system sees it: memory, descriptors, limits
//
// Nothing here waits for a length of time or judges one, but for faults and memory at
// their full length, and then by multiples. Other time limits are guards against hanging
// and are minutes long.
package integration
