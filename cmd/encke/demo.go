package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"encke/cmd/encke/app"
	"encke/cmd/encke/demo"
	"encke/transports"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "run the proxy with a chat, a console and an IRC client to try in the browser",
		UsageText: "encke demo [--allow irc.example.org:6667] [options as for the proxy]",
		Description: `Starts an MQTT broker and an echo server on loopback, allows them and what --allow
names, and serves the pages. All transports are on unless --transports is given.`,
		Flags: serveFlags(),
		Action: func(c *cli.Context) error {
			backends, err := demo.Start()
			if err != nil {
				return err
			}
			defer backends.Close()
			a, flush, err := start(c, func(cfg *app.Config) {
				if !c.IsSet("transports") {
					cfg.Transports = transports.All()
				}
				cfg.Allow = append(cfg.Allow, backends.Allow()...)
			})
			if err != nil {
				return err
			}
			defer flush()
			a.Mount("/demo/", demo.Handler(backends))
			fmt.Fprintf(c.App.Writer, "\n  The demo is at %s/demo/\n  Stop it with Ctrl-C.\n\n", a.URL())
			return errors.Join(wait(c.Context, a), backends.Close())
		},
	}
}
