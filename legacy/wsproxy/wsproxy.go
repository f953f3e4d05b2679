// Package wsproxy serves the interface of wsproxy, which the serverless driver of Neon
// speaks: a WebSocket at /v1?address=HOST:PORT is a TCP connection to that address, in binary
// messages. It is one of the protocols of package legacy.
//
//	neonConfig.wsProxy = "tcp.example.org/v1"
//
// What differs from the original:
//
//   - The rules of the proxy say which addresses may be reached; the original has a regular
//     expression, and allows all without it.
//   - The pages that may use it are those of --origin. A program that is no browser names one
//     in its Origin.
//   - Why a connection failed is in the close code: 4000 and the number of the cause, such as
//     4001 for an address that is not allowed. The end of a connection is 1000.
//   - There is no resolving of addresses to others (addr-proxy, ALLOW_ADDR_REGEX,
//     APPEND_PORT), and no metrics at /metrics.
//   - Text messages are refused (1003).
package wsproxy

import (
	"net/http"

	"encke/cause"
	"encke/legacy"
	"encke/whitelist"
)

// New returns the protocol.
func New(p *legacy.Proxy) legacy.Protocol {
	return legacy.Protocol{Routes: map[string]http.Handler{
		"/v1": p.Handler.Guard(false, func(w http.ResponseWriter, r *http.Request, origin string) {
			dest, err := target(r.URL.RawQuery)
			p.WebSocket(w, r, origin, nil, func(l *legacy.Link) *cause.Error {
				if err != nil {
					return cause.BadTarget.With("%v", err)
				}
				return l.Relay(dest)
			})
		}),
	}}
}

// target returns where a request wants to go.
func target(query string) (whitelist.Dest, error) {
	address, err := legacy.Parameter(query, "address")
	if err != nil {
		return whitelist.Dest{}, err
	}
	return whitelist.ParseHostPort(address)
}
