// Encke lets pages in browsers open TCP sockets: it stands in front of TCP
// servers and connects pages to those that its rules allow.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newApp().RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "encke:", err)
		os.Exit(1)
	}
}

const description = `Encke connects web pages to TCP servers. Pages load /TCPSocket.js from it and
open sockets; Encke dials those that --allow names, and nothing else.

Examples:

   One IRC server, pages served from the proxy's own address:
      encke --allow irc.example.org:6667

   Pages of a site elsewhere, TLS, reachable under a public name:
      encke --listen :443 --cert site.pem --key site.key --host tcp.example.org \
            --origin https://www.example.org --allow irc.example.org:6697

   Behind HAProxy or nginx, on a path of the site:
      encke --prefix /tcp --host www.example.org --origin https://www.example.org \
            --trusted-proxy 127.0.0.1 --allow mqtt.internal:1883 --allow 10.0.0.7:61613

   Try it: a chat, a console and an IRC client in your browser:
      encke demo

   What an Orbited server was told, as options of encke:
      encke convert orbited.cfg

   A TCP connection through a proxy, for a terminal or as ssh ProxyCommand:
      encke connect https://tcp.example.org git.example.org:22

Rules of --allow: host:port, host:6667,6697,7000-7010, *.example.org:port,
192.0.2.7:port, 10.0.0.0/8:port, [2001:db8::/32]:port, host:*. Names that resolve
to addresses inside (loopback, private, link-local, ...) are refused unless a rule
names the address. "www.example.org -> host:port" holds for pages only that ask for
the proxy by that name, its port with it unless that is 80 or 443. Every option can be set in the environment as shown; several
values are separated by spaces.`

func newApp() *cli.App {
	a := &cli.App{
		Name:        "encke",
		Usage:       "TCP sockets for the browser",
		UsageText:   "encke --allow HOST:PORT [--allow ...] [options]\nencke command [options]",
		Description: description,
		Version:     "0.1.0",
		Flags:       serveFlags(),
		Action:      serve,
		Commands:    []*cli.Command{checkCommand(), connectCommand(), convertCommand(), demoCommand()},
		// Rules contain commas.
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		OnUsageError:              usageError,
	}
	for _, c := range a.Commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
	}
	return a
}

// usageError makes a wrong flag an error with a hint, not a page of help.
func usageError(c *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w (see %s --help)", err, c.Command.HelpName)
}
