package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// peer is a proxy that the harness can start, and how clients speak to it.
type peer struct {
	name     string
	about    string
	maxIdle  int // most idle streams to ask of it; 0: no limit
	quick    bool
	onlyIdle bool // takes no part in the scenarios
	// start runs the proxy, in front of the backend and listening at the launch's
	// address, and returns the URL for its clients.
	start func(p *process, l launch) (target string, err error)
	dial  func(n *network, u *url.URL) dialer
}

// launch is what a peer is started with.
type launch struct {
	port        int    // of 127.0.0.1, free
	backendHost string // where to relay to
	backendPort int
	dir         string // the folder of this module
	scratch     string // a folder for files
	encke       string // the command under test
}

func (l launch) listen() string  { return fmt.Sprintf("127.0.0.1:%d", l.port) }
func (l launch) backend() string { return fmt.Sprintf("%s:%d", l.backendHost, l.backendPort) }

func (l launch) url(scheme, path string) string { return scheme + "://" + l.listen() + path }

// file writes a file into the scratch folder and returns its path.
func (l launch) file(name, text string) (string, error) {
	path := filepath.Join(l.scratch, fmt.Sprintf("%d-%s", l.port, name))
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// The peers that ratios are given to.
const (
	limitPeer = "direct"
	basePeer  = "relay"
)

// socketsPerSession is how many sockets share a session of encke-mux. The proxy's default
// limit is 128.
const socketsPerSession = 100

// mostSockets is how many encke-one has on its only session, with that limit lifted.
const mostSockets = 1000

// peers are all there are, in the order of the tables and of a round: what ratios compare
// is measured one after the other.
var peers = []*peer{
	{name: "direct", about: "no proxy: the limit", quick: true, start: startNothing, dial: dialTCP},
	{name: "haproxy", about: "HAProxy, TCP mode", start: startHAProxyTCP, dial: dialTCP},
	{name: "nginx", about: "nginx stream", start: startNginxStream, dial: dialTCP},
	{name: "websockify", about: "websockify (Python, a process for each connection)", maxIdle: 300, start: startWebsockify, dial: dialWS},
	{name: "relay", about: "coder/websocket NetConn and io.Copy (relay.go)", quick: true, start: startSelf("relay"), dial: dialWS},
	{name: "encke-ws", about: "Encke, WebSocket, a session for each stream", quick: true, start: startEncke, dial: dialEnckeWS},
	{name: "encke-mux", about: "Encke, WebSocket, up to 100 streams on a session", quick: true, start: startEncke, dial: dialEnckeMux(socketsPerSession)},
	{name: "encke-one", about: "Encke, WebSocket, all streams on one session", maxIdle: mostSockets, onlyIdle: true, start: startEnckeOne, dial: dialEnckeMux(mostSockets)},
	{name: "encke-fetch", about: "Encke, fetch streaming (binary) and POST", quick: true, maxIdle: 6000, start: startEncke, dial: dialEnckeHTTP("fetch-streaming")},
	{name: "encke-xhr", about: "Encke, XHR streaming (text) and POST", quick: true, maxIdle: 6000, start: startEncke, dial: dialEnckeHTTP("xhr-streaming")},
	{name: "encke-es", about: "Encke, EventSource (text) and POST", maxIdle: 6000, start: startEncke, dial: dialEnckeHTTP("eventsource")},
	{name: "encke-poll", about: "Encke, long polling (binary) and POST", quick: true, maxIdle: 6000, start: startEncke, dial: dialEnckeHTTP("long-polling")},
	{name: "floor", about: "WebSocket relay written by hand (floor.go)", start: startSelf("floor"), dial: dialWS},
	{name: "floor-session", about: "floor with the costs of a session (floorsession.go)", start: startSelf("floor", "-session"), dial: dialFloorSession},
	{name: "haproxy+relay", about: "HAProxy, HTTP mode, in front of relay", maxIdle: 4500, start: startHAProxyRelay, dial: dialWS},
	{name: "nginx+relay", about: "nginx, HTTP, in front of relay", maxIdle: 4500, start: startNginxRelay, dial: dialWS},
	{name: "wisp", about: "wisp-js, a WebSocket for each stream", start: startWisp, dial: dialWisp},
	{name: "wisp-mux", about: "wisp-js, all streams on one WebSocket", start: startWisp, dial: dialWispMux},
	{name: "sockjs-ws", about: "sockjs-node, websocket, base64", start: startSockJS, dial: dialSockJSWS},
	{name: "sockjs-xs", about: "sockjs-node, xhr-streaming and POST, base64", maxIdle: 6000, start: startSockJS, dial: dialSockJSXHR("xhr_streaming")},
	{name: "sockjs-xhr", about: "sockjs-node, xhr polling and POST, base64", maxIdle: 6000, start: startSockJS, dial: dialSockJSXHR("xhr")},
	{name: "eio-ws", about: "engine.io, websocket, binary", start: startEngine, dial: dialEngineWS},
	{name: "eio-poll", about: "engine.io, polling, base64", maxIdle: 6000, start: startEngine, dial: dialEnginePoll},
}
