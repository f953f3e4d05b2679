package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"encke/legacy"
	"encke/transports"
	"encke/whitelist"
)

// Config is everything an operator can set. The zero value of a field means its
// default; a Config without rules does not start.
type Config struct {
	Listen []string // addresses to listen on; default 127.0.0.1:8000
	Prefix string   // path below which everything is served, such as "/tcp"; default none
	Cert   string   // PEM file of the certificate chain; with Key: TLS and HTTP/2
	Key    string   // PEM file of the private key

	Allow        []string // rules, see package whitelist
	AllowFiles   []string // files with a rule on each line
	AllowPrivate bool     // allowed names may resolve to private addresses
	AllowAnyHost bool     // accept rules for any host

	Origins    []string // pages that may use the proxy, beside its own
	Hosts      []string // names of the proxy, beside loopback ones
	Transports []string // default transports.Default()
	Legacy     []string // older protocols that are served, of Legacy(); default none
	Static     []string // NAME=DIR: folders whose files are served at /NAME/
	Node       string   // public part of session ids, default n0

	Linger      time.Duration // how long a session waits for its next link, default 120 s
	Heartbeat   time.Duration // longest silence on a link, default 25 s
	DialTimeout time.Duration // resolving and connecting, default 15 s
	Drain       time.Duration // how long sockets may go on after SIGTERM, default 30 s
	MaxSessions int           // default 20,000
	MaxSockets  int           // per session, default 128
	SendBuffer  int           // unacknowledged bytes per session, default 256 KiB
	Window      int           // unwritten bytes per socket, default 512 KiB

	Lifetime     time.Duration // how long a session may live in all, default as long as it likes
	BufferBudget int           // bytes that all sessions queue and keep, default a quarter of the memory limit
	OpenRate     int           // sockets that a session may open in a second, default 10
	OpenBurst    int           // sockets that it may open at once, default MaxSockets
	MaxPerTarget int           // open sockets of all sessions to one host and port, default 1,000
	MaxWindows   int           // unwritten bytes per session above 64 KiB per socket, default 8 MiB

	LegacyOptions map[string][]string // values of LegacyOptions() by their names

	Limits // of the HTTP edge

	// Listening is called when the addresses are listened on and files are read, before
	// anything is served: to give up privileges. An error stops the start. Nil: nothing.
	Listening func() error

	Log *slog.Logger // nil: none
}

// settings is a Config after it was checked.
type settings struct {
	rules   *whitelist.Rules
	origins transports.Origins
	tls     *tls.Config
	trusted []netip.Prefix // balancers
	legacy  map[string]func(*legacy.Proxy) legacy.Protocol
	folders map[string]string
}

// Check reports everything that is wrong with the configuration, all at once.
func (c *Config) Check() error {
	_, err := c.check()
	return err
}

// Rules returns the rules of the configuration, or what is wrong with it.
func (c *Config) Rules() (*whitelist.Rules, error) {
	s, err := c.check()
	if err != nil {
		return nil, err
	}
	return s.rules, nil
}

func (c *Config) check() (*settings, error) {
	var all *multierror.Error
	bad := func(setting string, err error) {
		if err == nil {
			return
		}
		var several *multierror.Error
		if !errors.As(err, &several) {
			all = multierror.Append(all, fmt.Errorf("%s: %w", setting, err))
			return
		}
		for _, e := range several.Errors {
			all = multierror.Append(all, fmt.Errorf("%s: %w", setting, e))
		}
	}

	s := new(settings)
	opts := whitelist.Options{AnyHost: c.AllowAnyHost, AllowPrivate: c.AllowPrivate}
	var err error
	if len(c.Allow) > 0 || len(c.AllowFiles) == 0 {
		s.rules, err = opts.New(c.Allow...)
		bad("--allow", err)
	}
	for _, name := range c.AllowFiles {
		more, err := parseFile(opts, name)
		bad("--allow-file "+name, err)
		s.rules = s.rules.Join(more)
	}
	s.origins, err = transports.ParseOrigins(c.Origins...)
	bad("--origin", err)
	for _, h := range c.Hosts {
		bad("--host", checkHost(h))
	}
	for _, rule := range s.rules.List() {
		if rule.Source() != "" && !transports.Hosts(c.Hosts).Accepts(rule.Source()) {
			bad("--allow", fmt.Errorf("rule %q: nobody may ask the proxy by this name; add --host with it", rule))
		}
	}
	for _, t := range c.Transports {
		if !slices.Contains(transports.All(), t) {
			bad("--transports", fmt.Errorf("unknown transport %q; the transports are %s", t, strings.Join(transports.All(), ", ")))
		}
	}
	s.legacy = c.checkLegacy(s.rules, bad)
	s.folders = c.checkFolders(preview(s.legacy), bad)
	for _, l := range c.Listen {
		_, port, err := net.SplitHostPort(l)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		bad("--listen", err)
	}
	if c.Prefix != "" && (!prefixForm.MatchString(c.Prefix) || path.Clean(c.Prefix) != c.Prefix) {
		bad("--prefix", fmt.Errorf("%q: write it like /tcp: a slash, then letters, digits, '-', '_', '.', no slash at the end", c.Prefix))
	}
	if c.Node != "" && !nodeForm.MatchString(c.Node) {
		bad("--node", fmt.Errorf("%q: 1 to 32 letters, digits or '-'", c.Node))
	}
	if (c.Cert == "") != (c.Key == "") {
		bad("--cert, --key", errors.New("one is of no use without the other"))
	} else if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		bad("--cert, --key", err)
		s.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	c.Limits.check(c.Listen, bad)
	s.trusted, _ = prefixes(c.TrustedProxies)
	for _, d := range [...]struct {
		name      string
		v         time.Duration
		low, high time.Duration
	}{
		{"--linger", c.Linger, time.Second, 24 * time.Hour},
		{"--heartbeat", c.Heartbeat, time.Second, time.Minute},
		{"--dial-timeout", c.DialTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"--lifetime", c.Lifetime, time.Second, 10 * 365 * 24 * time.Hour},
		{"--drain", c.Drain, time.Millisecond, 24 * time.Hour},
	} {
		if d.v != 0 && (d.v < d.low || d.v > d.high) {
			bad(d.name, fmt.Errorf("%v is not between %v and %v", d.v, d.low, d.high))
		}
	}
	for _, n := range [...]struct {
		name         string
		v, low, high int
	}{
		{"--max-sessions", c.MaxSessions, 1, 1_000_000},
		{"--max-sockets", c.MaxSockets, 1, 100_000},
		{"--send-buffer", c.SendBuffer, 64 << 10, 64 << 20},
		{"--window", c.Window, 64 << 10, 64 << 20},
		{"--buffer-budget", c.BufferBudget, leastBudget, math.MaxInt},
		{"--open-rate", c.OpenRate, 1, 1_000_000},
		{"--open-burst", c.OpenBurst, 1, 1_000_000},
		{"--max-per-target", c.MaxPerTarget, 1, 1_000_000},
		{"--max-windows", c.MaxWindows, 64 << 10, 1 << 30},
	} {
		if n.v != 0 && (n.v < n.low || n.v > n.high) {
			bad(n.name, fmt.Errorf("%d is not between %d and %d", n.v, n.low, n.high))
		}
	}
	if all != nil {
		all.ErrorFormat = listProblems
	}
	return s, all.ErrorOrNil()
}

// listProblems is how several problems are shown: one on each line.
func listProblems(all []error) string {
	if len(all) == 1 {
		return all[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d settings are wrong:", len(all))
	for _, err := range all {
		fmt.Fprintf(&b, "\n  %v", err)
	}
	return b.String()
}

var (
	prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)
	nodeForm   = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)
)

func parseFile(opts whitelist.Options, name string) (*whitelist.Rules, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return opts.Parse(f)
}

func checkHost(h string) error {
	if strings.Contains(h, "://") || strings.ContainsAny(h, "/*") {
		return fmt.Errorf("%q: a host name alone, such as irc.example.org", h)
	}
	if d, err := whitelist.ParseDest(h, 1); err != nil || d.Host != strings.ToLower(h) {
		return fmt.Errorf("%q is not a host name in its plain form (no port)", h)
	}
	return nil
}
