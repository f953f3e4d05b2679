package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"encke/client"
)

func connectCommand() *cli.Command {
	return &cli.Command{
		Name:      "connect",
		Usage:     "join a TCP connection through a proxy to stdin and stdout",
		UsageText: "encke connect [--origin ORIGIN] PROXY-URL HOST:PORT",
		Description: `The connection survives the loss of the link to the proxy. As ssh ProxyCommand:

   ssh -o ProxyCommand='encke connect https://tcp.example.org %h:%p' git.example.org`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "origin", Usage: "`ORIGIN` to show the proxy (default: the proxy's own)", EnvVars: []string{"ENCKE_CONNECT_ORIGIN"}},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return errors.New("two arguments are needed: PROXY-URL HOST:PORT (see encke connect --help)")
			}
			d := &client.Dialer{Proxy: c.Args().Get(0), Origin: c.String("origin")}
			defer d.Close()
			conn, err := d.DialContext(c.Context, "tcp", c.Args().Get(1))
			if err != nil {
				return err
			}
			defer conn.Close()
			return join(c.Context, conn.(duplex), os.Stdin, c.App.Writer)
		},
	}
}

// duplex is a connection with half-close.
type duplex interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// join copies both ways. It returns when the far end has finished, or ctx is done.
// The end of in is passed on as half-close.
func join(ctx context.Context, conn duplex, in io.Reader, out io.Writer) error {
	sent := make(chan error, 1)
	go func() { // ends with in, or with the process
		_, err := io.Copy(conn, in)
		if err == nil {
			err = conn.CloseWrite()
		}
		sent <- err
	}()
	received := make(chan error, 1)
	go func() { // ends with conn
		_, err := io.Copy(out, conn)
		received <- err
	}()
	for {
		select {
		case err := <-received:
			return err
		case err := <-sent:
			if err != nil {
				return err
			}
			sent = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
