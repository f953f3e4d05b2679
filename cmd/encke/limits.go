package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"encke/cmd/encke/app"
	"encke/cmd/encke/logline"
)

// limitFlags are the options that bound what strangers may take. docs/limits.md tells
// more of each.
func limitFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "trusted-proxy", Usage: "`CIDR` of balancers whose X-Forwarded-For, Forwarded or X-Real-IP is believed; repeatable", EnvVars: []string{"ENCKE_TRUSTED_PROXY"}},
		&cli.StringSliceFlag{Name: "proxy-protocol", Usage: "`[ADDRESS=]CIDR` of balancers that begin each connection to the listeners, or the one at ADDRESS, with a PROXY header; nobody else may then connect; repeatable", EnvVars: []string{"ENCKE_PROXY_PROTOCOL"}},
		&cli.IntFlag{Name: "address-sessions", Usage: "live sessions of one address (IPv4, or IPv6 /64); -1: no limit", Value: 200, EnvVars: []string{"ENCKE_ADDRESS_SESSIONS"}},
		&cli.IntFlag{Name: "address-connections", Usage: "connections of one address; -1: no limit", Value: 400, EnvVars: []string{"ENCKE_ADDRESS_CONNECTIONS"}},
		&cli.IntFlag{Name: "address-handshakes", Usage: "new sessions of one address in a second, five times that at once; -1: no limit", Value: 20, EnvVars: []string{"ENCKE_ADDRESS_HANDSHAKES"}},
		&cli.IntFlag{Name: "address-sockets", Usage: "open sockets of all sessions of one address; -1: no limit", Value: 500, EnvVars: []string{"ENCKE_ADDRESS_SOCKETS"}},
		&cli.IntFlag{Name: "address-requests", Usage: "requests of one address under way, open polls and streams among them; -1: no limit", Value: 1000, EnvVars: []string{"ENCKE_ADDRESS_REQUESTS"}},
		&cli.IntFlag{Name: "address-upgrades", Usage: "new WebSockets of one address in a second, five times that at once; -1: no limit", Value: 20, EnvVars: []string{"ENCKE_ADDRESS_UPGRADES"}},
		&cli.IntFlag{Name: "max-connections", Usage: "connections of all browsers", Value: 50_000, EnvVars: []string{"ENCKE_MAX_CONNECTIONS"}},
		&cli.IntFlag{Name: "max-descriptors", Usage: "file descriptors to use", DefaultText: "the limit of the process", EnvVars: []string{"ENCKE_MAX_DESCRIPTORS"}},
		&cli.IntFlag{Name: "max-streams", Usage: "requests at a time on one HTTP/2 connection", Value: 100, EnvVars: []string{"ENCKE_MAX_STREAMS"}},
		&cli.DurationFlag{Name: "header-timeout", Usage: "how long the head of a request or a TLS handshake may take", Value: 5 * time.Second, EnvVars: []string{"ENCKE_HEADER_TIMEOUT"}},
		&cli.DurationFlag{Name: "body-timeout", Usage: "how long the body of a request may take", Value: 15 * time.Second, EnvVars: []string{"ENCKE_BODY_TIMEOUT"}},
		&cli.IntFlag{Name: "min-body-rate", Usage: "`BYTES` a second of a body that takes longer than 5 s", Value: 512, EnvVars: []string{"ENCKE_MIN_BODY_RATE"}},
		&cli.DurationFlag{Name: "idle-timeout", Usage: "how long a connection may be idle between requests", Value: 75 * time.Second, EnvVars: []string{"ENCKE_IDLE_TIMEOUT"}},
		&cli.DurationFlag{Name: "write-timeout", Usage: "how long a browser may take nothing of what is written", Value: 15 * time.Second, EnvVars: []string{"ENCKE_WRITE_TIMEOUT"}},
		&cli.IntFlag{Name: "log-rate", Usage: "log lines of one kind in a second, five times that at once; -1: no limit", Value: logline.DefaultRate, EnvVars: []string{"ENCKE_LOG_RATE"}},
	}
}

// limits reads the flags.
func limits(c *cli.Context) app.Limits {
	return app.Limits{
		TrustedProxies:     words(c.StringSlice("trusted-proxy")),
		ProxyProtocol:      words(c.StringSlice("proxy-protocol")),
		AddressSessions:    c.Int("address-sessions"),
		AddressConnections: c.Int("address-connections"),
		AddressHandshakes:  c.Int("address-handshakes"),
		AddressSockets:     c.Int("address-sockets"),
		AddressRequests:    c.Int("address-requests"),
		AddressUpgrades:    c.Int("address-upgrades"),
		MaxConnections:     c.Int("max-connections"),
		MaxDescriptors:     c.Int("max-descriptors"),
		MaxStreams:         c.Int("max-streams"),
		HeaderTimeout:      c.Duration("header-timeout"),
		BodyTimeout:        c.Duration("body-timeout"),
		MinBodyRate:        c.Int("min-body-rate"),
		IdleTimeout:        c.Duration("idle-timeout"),
		WriteTimeout:       c.Duration("write-timeout"),
		LogRate:            c.Int("log-rate"),
	}
}
