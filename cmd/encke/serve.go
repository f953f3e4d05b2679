package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"encke/buffer"
	"encke/cmd/encke/app"
	"encke/cmd/encke/cgroup"
	"encke/transports"
)

// serveFlags are the options of the proxy; check and demo take them too.
func serveFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringSliceFlag{Name: "allow", Usage: "`RULE`: what pages may reach, HOST:PORT or HOST -> HOST:PORT; repeatable", EnvVars: []string{"ENCKE_ALLOW"}},
		&cli.StringSliceFlag{Name: "allow-file", Usage: "`FILE` with a rule on each line; repeatable", EnvVars: []string{"ENCKE_ALLOW_FILE"}},
		&cli.BoolFlag{Name: "allow-private", Usage: "allowed names may resolve to private addresses: their owners can point them at any machine inside", EnvVars: []string{"ENCKE_ALLOW_PRIVATE"}},
		&cli.BoolFlag{Name: "allow-any-host", Usage: "accept rules for any host (*:PORT): pages reach whatever this machine reaches", EnvVars: []string{"ENCKE_ALLOW_ANY_HOST"}},
		&cli.StringSliceFlag{Name: "listen", Usage: "`ADDRESS` to listen on; repeatable (default: 127.0.0.1:8000)", EnvVars: []string{"ENCKE_LISTEN"}},
		&cli.StringSliceFlag{Name: "origin", Usage: "`ORIGIN` of pages that may use the proxy, such as https://www.example.org; its own pages always may; repeatable", EnvVars: []string{"ENCKE_ORIGIN"}},
		&cli.StringSliceFlag{Name: "host", Usage: "`NAME` of the proxy as browsers see it; loopback names always are; repeatable", EnvVars: []string{"ENCKE_HOST"}},
		&cli.StringFlag{Name: "cert", Usage: "PEM `FILE` with the certificate chain: serve TLS and HTTP/2", EnvVars: []string{"ENCKE_CERT"}},
		&cli.StringFlag{Name: "key", Usage: "PEM `FILE` with the private key", EnvVars: []string{"ENCKE_KEY"}},
		&cli.StringFlag{Name: "prefix", Usage: "`PATH` below which everything is served, such as /tcp", EnvVars: []string{"ENCKE_PREFIX"}},
		&cli.StringFlag{Name: "transports", Usage: "comma-separated `NAMES` of those served, of " + strings.Join(transports.All(), ", "), Value: strings.Join(transports.Default(), ","), EnvVars: []string{"ENCKE_TRANSPORTS"}},
		&cli.StringFlag{Name: "legacy", Usage: "comma-separated `NAMES` of older protocols to serve, of " + strings.Join(app.Legacy(), ", "), DefaultText: "none", EnvVars: []string{"ENCKE_LEGACY"}},
		&cli.StringSliceFlag{Name: "static", Usage: "`NAME=DIR`: serve the files of the folder DIR at /NAME/, none that lies elsewhere or begins with a dot; repeatable", EnvVars: []string{"ENCKE_STATIC"}},
		&cli.StringFlag{Name: "node", Usage: "`NAME` of this process in session ids, for balancers", Value: "n0", EnvVars: []string{"ENCKE_NODE"}},
		&cli.DurationFlag{Name: "linger", Usage: "how long a session without a link waits for the next one", Value: 120 * time.Second, EnvVars: []string{"ENCKE_LINGER"}},
		&cli.DurationFlag{Name: "heartbeat", Usage: "longest silence on a link", Value: 25 * time.Second, EnvVars: []string{"ENCKE_HEARTBEAT"}},
		&cli.DurationFlag{Name: "dial-timeout", Usage: "how long resolving and connecting may take", Value: 15 * time.Second, EnvVars: []string{"ENCKE_DIAL_TIMEOUT"}},
		&cli.DurationFlag{Name: "drain", Usage: "how long open sockets may go on after SIGTERM", Value: 30 * time.Second, EnvVars: []string{"ENCKE_DRAIN"}},
		&cli.IntFlag{Name: "max-sessions", Usage: "live sessions", Value: 20_000, EnvVars: []string{"ENCKE_MAX_SESSIONS"}},
		&cli.IntFlag{Name: "max-sockets", Usage: "open sockets of one session", Value: 128, EnvVars: []string{"ENCKE_MAX_SOCKETS"}},
		&cli.IntFlag{Name: "send-buffer", Usage: "`BYTES` that a session keeps until the page has them", Value: 256 << 10, EnvVars: []string{"ENCKE_SEND_BUFFER"}},
		&cli.IntFlag{Name: "window", Usage: "`BYTES` from the page that wait for one backend", Value: 512 << 10, EnvVars: []string{"ENCKE_WINDOW"}},
		&cli.IntFlag{Name: "open-rate", Usage: "sockets that a session may open in a second, on average", Value: 10, EnvVars: []string{"ENCKE_OPEN_RATE"}},
		&cli.IntFlag{Name: "open-burst", Usage: "sockets that a session may open at once", DefaultText: "as --max-sockets", EnvVars: []string{"ENCKE_OPEN_BURST"}},
		&cli.IntFlag{Name: "max-per-target", Usage: "open sockets of all sessions to one host and port", Value: 1000, EnvVars: []string{"ENCKE_MAX_PER_TARGET"}},
		&cli.IntFlag{Name: "max-windows", Usage: "`BYTES` from the page that wait for all backends of a session, above 64 KiB for each", Value: 8 << 20, EnvVars: []string{"ENCKE_MAX_WINDOWS"}},
		&cli.IntFlag{Name: "buffer-budget", Usage: "`BYTES` that all sessions together queue and keep", DefaultText: "a quarter of the memory limit", EnvVars: []string{"ENCKE_BUFFER_BUDGET"}},
		&cli.DurationFlag{Name: "lifetime", Usage: "how long a session may live in all", DefaultText: "none", EnvVars: []string{"ENCKE_LIFETIME"}},
		&cli.StringFlag{Name: "log-level", Usage: "debug, info, warn or error", Value: "info", EnvVars: []string{"ENCKE_LOG_LEVEL"}},
		&cli.StringFlag{Name: "log-format", Usage: "text or json", Value: "text", EnvVars: []string{"ENCKE_LOG_FORMAT"}},
		&cli.StringFlag{Name: "log-file", Usage: "`FILE` that log lines are appended to, opened again on SIGHUP", DefaultText: "standard error", EnvVars: []string{"ENCKE_LOG_FILE"}},
	}, legacyFlags(), ownerFlags(), limitFlags())
}

// config reads the flags.
func config(c *cli.Context) (app.Config, error) {
	cfg := app.Config{
		Listen:       words(c.StringSlice("listen")),
		Prefix:       c.String("prefix"),
		Cert:         c.String("cert"),
		Key:          c.String("key"),
		Allow:        rules(c.StringSlice("allow")),
		AllowFiles:   words(c.StringSlice("allow-file")),
		AllowPrivate: c.Bool("allow-private"),
		AllowAnyHost: c.Bool("allow-any-host"),
		Origins:      words(c.StringSlice("origin")),
		Hosts:        words(c.StringSlice("host")),
		Transports:   names(c.String("transports")),
		Legacy:       names(c.String("legacy")),
		Static:       c.StringSlice("static"),
		Node:         c.String("node"),
		Linger:       c.Duration("linger"),
		Heartbeat:    c.Duration("heartbeat"),
		DialTimeout:  c.Duration("dial-timeout"),
		Drain:        c.Duration("drain"),
		MaxSessions:  c.Int("max-sessions"),
		MaxSockets:   c.Int("max-sockets"),
		SendBuffer:   c.Int("send-buffer"),
		Window:       c.Int("window"),
		OpenRate:     c.Int("open-rate"),
		OpenBurst:    c.Int("open-burst"),
		MaxPerTarget: c.Int("max-per-target"),
		MaxWindows:   c.Int("max-windows"),
		BufferBudget: c.Int("buffer-budget"),
		Lifetime:     c.Duration("lifetime"),
		Limits:       limits(c),

		LegacyOptions: legacyOptions(c),
	}
	drop, err := owner(c)
	cfg.Listening = drop
	_, logErr := checkLog(c.String("log-level"), c.String("log-format"))
	err = errors.Join(err, logErr)
	if c.NArg() > 0 {
		err = errors.Join(err, fmt.Errorf("unexpected argument %q (see encke --help)", c.Args().First()))
	}
	return cfg, err
}

// start starts the proxy with the flags, after change has changed what they say. The
// returned function is to be called when it has stopped.
func start(c *cli.Context, change func(*app.Config)) (*app.App, func(), error) {
	cfg, err := config(c)
	if err != nil {
		return nil, nil, err
	}
	change(&cfg)
	out := &logFile{name: c.String("log-file")}
	log, flush, err := openLog(c.String("log-level"), c.String("log-format"), cfg.LogRate, out)
	if err != nil {
		return nil, nil, err
	}
	signal.Ignore(syscall.SIGPIPE) // who reads the log may go away; else that ended us
	cfg.Log = log
	stop := func() {}
	open := func() (err error) {
		stop, err = out.Open(func(err error) { log.Error("the log file is not opened again", "error", err) })
		return err
	}
	drop := cfg.Listening
	cfg.Listening = func() error {
		if drop == nil {
			warnOfRoot(log)
			return nil
		}
		if err := drop(); err != nil {
			return err
		}
		return open() // by whom the file is to belong to
	}
	if drop == nil {
		if err := open(); err != nil {
			flush()
			return nil, nil, err
		}
	}
	limit := cgroup.LimitMemory()
	if limit > 0 {
		log.Info("memory limit", "bytes", limit)
	}
	a, err := app.Start(cfg)
	if err != nil {
		stop()
		flush()
		return nil, nil, err
	}
	keep := cgroup.GiveBack(cgroup.Collect(limit), buffer.Drop)
	return a, func() { keep(); stop(); flush() }, nil
}

// words splits values at white space, as they come from the environment.
func words(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, strings.Fields(v)...)
	}
	return all
}

// rules splits values at white space, but for the space around the arrow of a rule.
func rules(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, strings.Fields(arrow.ReplaceAllString(v, "->"))...)
	}
	return all
}

var arrow = regexp.MustCompile(`\s*->\s*`)

// names splits a list at commas and white space.
func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// serve is the main action: run the proxy until a signal comes.
func serve(c *cli.Context) error {
	a, flush, err := start(c, func(*app.Config) {})
	if err != nil {
		return err
	}
	defer flush()
	return wait(c.Context, a)
}

// wait returns when the proxy was stopped by a signal, a second one stops it at
// once, or when a listener broke.
func wait(ctx context.Context, a *app.App) error {
	select {
	case err := <-a.Failed():
		return errors.Join(err, a.Close())
	case <-ctx.Done():
	}
	again, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return a.Shutdown(again)
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "validate options and rules, start nothing",
		UsageText: "encke check --allow HOST:PORT [options as for the proxy]",
		Flags:     serveFlags(),
		Action: func(c *cli.Context) error {
			cfg, err := config(c)
			if err != nil {
				return err
			}
			rules, err := cfg.Rules()
			if err != nil {
				return err
			}
			for _, r := range rules.List() {
				fmt.Fprintln(c.App.Writer, "allow", r)
			}
			fmt.Fprintln(c.App.Writer, "ok")
			return nil
		},
	}
}
