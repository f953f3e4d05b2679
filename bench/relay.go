package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"

	"github.com/coder/websocket"
)

// relayMain is the peer "relay", the reference of all ratios: the straightforward relay
// in Go, coder/websocket as a net.Conn and io.Copy both ways.
func relayMain(args []string) {
	flags := flag.NewFlagSet("relay", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to serve WebSockets on")
	backend := flags.String("backend", "", "TCP `address` to relay to")
	profile := flags.String("pprof", "", "serve net/http/pprof at this `address`")
	flags.Parse(args)
	if *profile != "" {
		go func() { log.Print(http.ListenAndServe(*profile, nil)) }() // until the process ends
	}
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		relay(w, r, *backend)
	})))
}

func relay(w http.ResponseWriter, r *http.Request, backend string) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	tcp, err := net.Dial("tcp", backend)
	if err != nil {
		ws.Close(websocket.StatusBadGateway, "backend")
		return
	}
	defer tcp.Close()
	c := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	go func() { // until the page's end, or the deferred calls
		io.Copy(tcp, c)
		tcp.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(c, tcp)
	c.Close()
}
