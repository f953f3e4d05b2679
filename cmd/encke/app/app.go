// Package app is the proxy as it runs: it introduces the packages to each other,
// listens, and stops. cmd/encke gives it a Config from flags; tests give it one
// of their own.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-multierror"

	"encke/buffer"
	"encke/cause"
	"encke/cmd/encke/logline"
	"encke/csp"
	"encke/edge"
	"encke/quota"
	"encke/static"
	"encke/tcpsocket"
	"encke/transports"
)

// App is a running proxy.
type App struct {
	cfg         Config
	log         *slog.Logger
	lines       *logline.Handler // under log
	sessions    *csp.Server
	sockets     *tcpsocket.Server
	dialer      *tcpsocket.Dialer
	handler     *transports.Handler
	routes      *http.ServeMux
	accept      map[string]func(*csp.Session) csp.Handler // of the older protocols
	folders     map[string]*static.Folder                 // of the operator
	taken       []string                                  // folders that older protocols serve
	edge        edge.Stats
	hosts       atomic.Uint64 // requests refused for their Host
	perAddr     *quota.Counts // connections
	perAddrOpen *quota.Counts // sockets
	descriptors *edge.Descriptors
	servers     []*http.Server
	listeners   []net.Listener
	serving     sync.WaitGroup
	draining    atomic.Bool
	failed      chan error
}

// Start checks the configuration, listens and serves. The caller must call
// Shutdown or Close.
func Start(cfg Config) (*App, error) {
	set, err := cfg.check()
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, failed: make(chan error, 1)}
	a.cfg.Limits.withDefaults()
	a.limitLog()
	if len(a.cfg.Listen) == 0 {
		a.cfg.Listen = []string{"127.0.0.1:8000"}
	}
	if a.cfg.Drain == 0 {
		a.cfg.Drain = 30 * time.Second
	}
	if a.listeners, err = listen(a.cfg.Listen, a.silence()); err != nil {
		return nil, err
	}
	if cfg.Listening != nil {
		if err := cfg.Listening(); err != nil {
			closeAll(a.listeners)
			return nil, err
		}
	}
	a.perAddr = quota.NewCounts(a.cfg.AddressConnections)
	a.perAddrOpen = quota.NewCounts(a.cfg.AddressSockets)
	a.descriptors = edge.NewDescriptors(a.cfg.MaxDescriptors, func() int { return a.sockets.Open() })
	for _, ln := range a.listeners {
		set.rules.Deny(ownAddresses(ln.Addr())...)
	}
	if err := a.wire(set); err != nil {
		a.closeFolders()
		closeAll(a.listeners)
		return nil, err
	}
	for i := range a.listeners {
		h := a.handle(set)
		a.listeners[i] = a.guarded(a.listeners[i], a.cfg.Listen[i], set, h)
		a.serve(a.listeners[i], h)
	}
	if cfg.AllowAnyHost {
		a.log.Warn("any host may be reached: --allow-any-host is on")
	}
	return a, nil
}

// wire builds the proxy from the top down: sessions feed sockets, transports feed
// sessions.
func (a *App) wire(set *settings) error {
	c := &a.cfg
	budget := buffer.NewBudget(int64(c.BufferBudget))
	if c.BufferBudget == 0 {
		budget = buffer.NewBudget(bufferBudget())
	}
	a.dialer = tcpsocket.NewDialer(set.rules, tcpsocket.DialOptions{Log: a.log})
	a.sockets = tcpsocket.NewServer(scarce{a.dialer, a.descriptors}, tcpsocket.Options{
		Window: c.Window, MaxSockets: c.MaxSockets, DialTimeout: c.DialTimeout, Log: a.log,
		OpenRate: c.OpenRate, OpenBurst: c.OpenBurst, MaxPerTarget: c.MaxPerTarget, MaxWindows: c.MaxWindows, Budget: budget,
	})
	a.sessions = csp.NewServer(csp.Options{
		Node: c.Node, Linger: c.Linger, MaxSessions: c.MaxSessions, SendBuffer: c.SendBuffer, Admit: a.admit,
		Lifetime: c.Lifetime, Budget: budget, Relieve: a.sockets.Cut,
		Panicked: func(value any, s *csp.Session) { a.handler.Panicked(value, s) },
		Accept:   a.acceptSession,
	})
	var err error
	a.handler, err = transports.New(a.sessions, transports.Options{
		Transports: c.Transports, Origins: set.origins, Heartbeat: c.Heartbeat, Log: a.log,
		BodyTimeout: c.BodyTimeout, WriteTimeout: c.WriteTimeout, MinBodyRate: c.MinBodyRate,
		AddressSessions: c.AddressSessions, AddressHandshakes: c.AddressHandshakes, AddressUpgrades: c.AddressUpgrades, AddressRequests: c.AddressRequests,
	})
	if err != nil {
		return err
	}
	a.routes = http.NewServeMux()
	a.routes.Handle(c.Prefix+"/session/", a.guard(http.StripPrefix(c.Prefix, a.handler)))
	a.routes.Handle(c.Prefix+"/", a.paced(a.guard(http.StripPrefix(c.Prefix, static.Handler()))))
	a.routes.Handle(c.Prefix+"/healthz", a.paced(http.HandlerFunc(a.health)))
	if err := a.openFolders(set.folders); err != nil {
		return err
	}
	a.wireLegacy(set)
	a.wireFolders()
	for _, folder := range []string{c.Prefix, c.Prefix + "/session"} {
		if folder != "" { // or the mux would redirect to it with a slash, see exactPaths
			a.routes.Handle(folder, a.paced(a.guard(http.HandlerFunc(notFound))))
		}
	}
	return nil
}

// Mount serves h below the prefix as well, at a path such as "/demo/", which h
// does not see.
func (a *App) Mount(path string, h http.Handler) {
	a.routes.Handle(a.cfg.Prefix+path, a.paced(a.guard(http.StripPrefix(a.cfg.Prefix+strings.TrimSuffix(path, "/"), h))))
}

// limitLog puts logline in front of the log, unless the caller has.
func (a *App) limitLog() {
	next := slog.Handler(slog.DiscardHandler)
	if a.cfg.Log != nil {
		next = a.cfg.Log.Handler()
	}
	var ok bool
	if a.lines, ok = next.(*logline.Handler); !ok {
		a.lines = logline.NewHandler(next, logline.Options{Rate: a.cfg.LogRate})
	}
	a.log = slog.New(a.lines)
}

// guarded is the listener that net/http gets, which serves WebSockets itself.
func (a *App) guarded(ln net.Listener, listen string, set *settings, h http.Handler) net.Listener {
	return edge.Listen(ln, edge.Options{
		MaxConnections: a.cfg.MaxConnections, PerAddress: a.perAddr, Trusted: set.trusted,
		Descriptors: a.descriptors, ProxyFrom: a.cfg.proxyFrom(listen), TLS: set.tls,
		Patience: a.cfg.HeaderTimeout, Idle: a.cfg.IdleTimeout, Upgrades: h, Stats: &a.edge, Log: a.log,
	})
}

func (a *App) serve(ln net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler:           h,
		ConnContext:       transports.WithConn,
		ReadHeaderTimeout: a.cfg.HeaderTimeout,
		IdleTimeout:       a.cfg.IdleTimeout,
		MaxHeaderBytes:    edge.MaxHead,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: a.cfg.MaxStreams,
			WriteByteTimeout:     a.cfg.WriteTimeout,
		},
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.servers = append(a.servers, srv)
	a.log.Info("listening", "addr", ln.Addr().String(), "url", a.url(ln.Addr()))
	a.serving.Go(func() { // ends when Shutdown or Close closes the listener
		err := srv.Serve(ln) // the listener speaks TLS
		if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			select {
			case a.failed <- err:
			default:
			}
		}
	})
}

// health is what balancers ask: 200 while new sessions are welcome.
func (a *App) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "draining")
		return
	}
	fmt.Fprintln(w, "ok")
}

// Addr returns the first address that the proxy listens on.
func (a *App) Addr() net.Addr { return a.listeners[0].Addr() }

// URL returns where the proxy is found at its first address, with the prefix.
func (a *App) URL() string { return a.url(a.Addr()) }

func (a *App) url(addr net.Addr) string {
	scheme := "http://"
	if a.cfg.Cert != "" {
		scheme = "https://"
	}
	host := addr.String()
	if t, ok := addr.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", t.Port)
	}
	return scheme + host + a.cfg.Prefix
}

// Failed gets an error when a listener breaks.
func (a *App) Failed() <-chan error { return a.failed }

// Shutdown stops gracefully: no new connections and sessions, clients are told to
// open no more sockets, and open ones may go on until they end, the drain time of
// the configuration is over or ctx is done. Then it is Close.
func (a *App) Shutdown(ctx context.Context) error {
	a.draining.Store(true)
	a.sessions.Drain()
	for _, ln := range a.listeners {
		ln.(*edge.Listener).Drain()
	}
	a.log.Info("draining", "sockets", a.sockets.Open(), "limit", a.cfg.Drain)
	a.sockets.GoAway(retrySeconds)
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Drain)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for a.sockets.Open() > 0 || a.sessions.Unsent() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return a.Close()
		}
	}
	return a.Close()
}

// retrySeconds is how long clients are asked to stay away from a stopping proxy.
const retrySeconds = 2

// answerPatience is how long answers under way may take to come to their end. Pages that
// do not read hold theirs for longer; they are no reason to report a failure.
const answerPatience = 5 * time.Second

// linkPatience is how long WebSockets may take to say goodbye.
const linkPatience = 2 * time.Second

// Close stops at once: sessions end with going-away, backends are reset.
func (a *App) Close() error {
	a.draining.Store(true)
	a.sessions.Close(&cause.Error{Code: cause.GoingAway, Text: "the proxy is stopping", Retry: retrySeconds})
	var all *multierror.Error
	ctx, cancel := context.WithTimeout(context.Background(), answerPatience)
	defer cancel()
	for _, srv := range a.servers {
		err := srv.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			a.log.Warn("connections cut that did not end", "patience", answerPatience)
			err = srv.Close()
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			all = multierror.Append(all, err)
		}
	}
	a.serving.Wait()
	a.handler.Wait(linkPatience)
	a.sockets.Cut()
	a.sockets.Wait()
	a.closeFolders()
	a.log.Info("stopped")
	return all.ErrorOrNil()
}

// heartbeat is how long a link may be silent.
func (a *App) heartbeat() time.Duration {
	if a.cfg.Heartbeat == 0 {
		return 25 * time.Second
	}
	return a.cfg.Heartbeat
}

// silence is how long a page may be gone before its links are taken for dead: a
// heartbeat, and the time for an answer to it.
func (a *App) silence() time.Duration { return a.heartbeat() + 20*time.Second }

func listen(addrs []string, silence time.Duration) ([]net.Listener, error) {
	config := listenConfig(silence)
	var all []net.Listener
	for _, addr := range addrs {
		ln, err := config.Listen(context.Background(), "tcp", addr)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, ln)
	}
	return all, nil
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}

// ownAddresses are the addresses at which a listener is reached; pages must not
// reach the proxy through itself.
func ownAddresses(addr net.Addr) []netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil
	}
	own := []netip.AddrPort{tcp.AddrPort()}
	if !tcp.IP.IsUnspecified() {
		return own
	}
	interfaces, _ := net.InterfaceAddrs()
	for _, i := range interfaces {
		if p, err := netip.ParsePrefix(i.String()); err == nil {
			own = append(own, netip.AddrPortFrom(p.Addr().Unmap(), uint16(tcp.Port)))
		}
	}
	return own
}
