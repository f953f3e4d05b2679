package tcpsocket

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"encke/cause"
	"encke/whitelist"
)

// Resolver finds the addresses of a host name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DialOptions are the settings of a Dialer. The zero value is the recommended
// setting.
type DialOptions struct {
	// Resolver is asked once for each socket whose host is a name. Default
	// net.DefaultResolver.
	Resolver Resolver

	// DNSTimeout bounds the lookup. Default 5 s.
	DNSTimeout time.Duration

	// ConnectTimeout bounds connecting to all addresses together. Default 10 s.
	ConnectTimeout time.Duration

	// Log gets a line for each target that is denied, with the reason, which
	// the page is not told. Nil: none.
	Log *slog.Logger
}

// attemptDelay is how long an address has before the next is tried beside it
// (RFC 8305 section 5 recommends 250 ms).
const attemptDelay = 250 * time.Millisecond

// Dialer is the Opener that connects over TCP to what the rules allow. The order
// is fixed: check the name, resolve once, check every address, dial addresses.
type Dialer struct {
	rules  *whitelist.Rules
	opts   DialOptions
	denied deniedLog
	count  dialCounters
}

var _ Opener = (*Dialer)(nil)

// NewDialer returns a Dialer for the rules.
func NewDialer(rules *whitelist.Rules, opts DialOptions) *Dialer {
	if opts.Resolver == nil {
		opts.Resolver = net.DefaultResolver
	}
	if opts.DNSTimeout == 0 {
		opts.DNSTimeout = 5 * time.Second
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = 10 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Dialer{rules: rules, opts: opts, denied: deniedLog{lines: rate{perSecond: 10, burst: 100}}}
}

// Open connects to dest, if the rules allow it to the caller. The error is of type *cause.Error; a page learns nothing
// about a target that is not allowed but Denied.
func (d *Dialer) Open(ctx context.Context, caller Caller, dest whitelist.Dest, opts OpenOptions) (net.Conn, error) {
	d.count.dials.Add(1)
	conn, err := d.open(ctx, d.rules.From(caller.Host), dest, opts)
	if err != nil {
		why := dialCause(err)
		d.count.failed[why.Code].Add(1)
		return nil, why
	}
	d.count.connected.Add(1)
	return conn, nil
}

func (d *Dialer) open(ctx context.Context, scope whitelist.Scope, dest whitelist.Dest, opts OpenOptions) (net.Conn, error) {
	if err := scope.Check(dest); err != nil {
		d.count.deniedNames.Add(1)
		return nil, d.deny(dest, err)
	}
	addrs, err := d.resolve(ctx, dest)
	if err != nil {
		return nil, err
	}
	allowed, err := scope.CheckAddrs(dest, addrs)
	if err != nil {
		d.count.deniedAddresses.Add(1)
		return nil, d.deny(dest, err)
	}
	allowed = order(allowed, opts.Family)
	if len(allowed) == 0 {
		return nil, cause.NameNotFound.With("no address of the asked-for family")
	}
	ctx, cancel := context.WithTimeout(ctx, d.opts.ConnectTimeout)
	defer cancel()
	conn, err := d.race(ctx, scope, dest, allowed, opts)
	switch {
	case err == nil:
	case errors.Is(err, cause.TimedOut.Err()):
		d.count.connectTimeouts.Add(1)
	case errors.Is(err, cause.Limit.Err()):
		d.count.noDescriptor.Add(1)
	}
	return conn, err
}

func (d *Dialer) deny(dest whitelist.Dest, reason error) error {
	if ok, leftOut := d.denied.allow(); !ok {
		d.count.leftOut.Add(1)
	} else if leftOut > 0 {
		d.opts.Log.Warn("denied", "dest", dest.String(), "reason", reason.Error(), "left_out", leftOut)
	} else {
		d.opts.Log.Warn("denied", "dest", dest.String(), "reason", reason.Error())
	}
	return cause.Denied.With("this target is not allowed")
}

func (d *Dialer) resolve(ctx context.Context, dest whitelist.Dest) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(dest.Host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.opts.DNSTimeout)
	defer cancel()
	host := dest.Host
	if strings.Contains(host, ".") {
		host += "." // no search domains
	}
	addrs, err := d.opts.Resolver.LookupNetIP(ctx, "ip", host)
	if err == nil {
		return addrs, nil
	}
	var dns *net.DNSError
	if ctx.Err() != nil || errors.As(err, &dns) && dns.IsTimeout {
		d.count.lookupTimeouts.Add(1)
		return nil, cause.TimedOut.With("the name server did not answer")
	}
	d.count.lookupFailures.Add(1)
	return nil, cause.NameNotFound.With("the name does not resolve")
}

// order puts the addresses of both families in turn, IPv6 first (RFC 8305
// section 4), and leaves out those of another family than asked for.
func order(addrs []netip.Addr, family int) []netip.Addr {
	var six, four, out []netip.Addr
	for _, a := range addrs {
		if a.Is4() && family != 6 {
			four = append(four, a)
		} else if !a.Is4() && family != 4 {
			six = append(six, a)
		}
	}
	for len(six) > 0 || len(four) > 0 {
		if len(six) > 0 {
			out, six = append(out, six[0]), six[1:]
		}
		if len(four) > 0 {
			out, four = append(out, four[0]), four[1:]
		}
	}
	return out
}

// race tries the addresses one after the other, each a little after the one
// before it, and returns the first connection. A single address is tried by itself.
func (d *Dialer) race(ctx context.Context, scope whitelist.Scope, dest whitelist.Dest, addrs []netip.Addr, opts OpenOptions) (net.Conn, error) {
	if len(addrs) == 1 {
		conn, err := d.connect(ctx, scope, dest, netip.AddrPortFrom(addrs[0], dest.Port), opts)
		if err != nil {
			return nil, dialCause(err)
		}
		return conn, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	pending := 0
	// Whatever is still connecting ends with ctx; late connections are closed.
	defer func() {
		cancel()
		for ; pending > 0; pending-- {
			if r := <-results; r.conn != nil {
				r.conn.Close()
			}
		}
	}()

	var first error
	next := time.NewTimer(0)
	defer next.Stop()
	for len(addrs) > 0 || pending > 0 {
		select {
		case <-next.C:
			if len(addrs) == 0 {
				continue
			}
			addr := netip.AddrPortFrom(addrs[0], dest.Port)
			addrs = addrs[1:]
			pending++
			go func() { // ends with ctx; its result is always received
				conn, err := d.connect(ctx, scope, dest, addr, opts)
				results <- result{conn, err}
			}()
			next.Reset(attemptDelay)
		case r := <-results:
			pending--
			if r.err == nil {
				return r.conn, nil
			}
			if first == nil || ctx.Err() == nil && dialCause(first).Code == cause.Unreachable {
				first = r.err
			}
			next.Reset(0)
		}
	}
	return nil, dialCause(first)
}

func (d *Dialer) connect(ctx context.Context, scope whitelist.Scope, dest whitelist.Dest, addr netip.AddrPort, opts OpenOptions) (net.Conn, error) {
	nd := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: opts.KeepAlive > 0, Idle: opts.KeepAlive, Interval: opts.KeepAlive},
		// The last look at what is really dialed.
		ControlContext: func(_ context.Context, _, address string, raw syscall.RawConn) error {
			actual, err := netip.ParseAddrPort(address)
			if err == nil && actual.Port() != dest.Port {
				err = errors.New("another port")
			}
			if err == nil {
				err = scope.CheckAddr(dest, actual.Addr().Unmap())
			}
			if err != nil {
				return d.deny(dest, err)
			}
			if opts.Early != nil && opts.Early() {
				connectWithData(raw)
			}
			return nil
		},
	}
	if opts.KeepAlive <= 0 {
		nd.KeepAlive = -1
	}
	conn, err := nd.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	if !opts.NoDelay { // else net has set it
		conn.(*net.TCPConn).SetNoDelay(false)
	}
	conn.(*net.TCPConn).SetReadBuffer(kernelBuffer)
	return conn, nil
}

// kernelBuffer is how many bytes of a backend the kernel may keep for us while the page
// does not take them. Left alone it keeps megabytes for each, and what all connections of
// a machine may have together is soon used up: then those that are read stall as well.
const kernelBuffer = 256 << 10

// dialCause maps an error of connecting to what the page is told.
func dialCause(err error) *cause.Error {
	var known *cause.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, syscall.ECONNREFUSED):
		return cause.Refused.With("nobody listens there")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return cause.TimedOut.With("no answer")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return cause.Unreachable.With("no way to the host")
	case errors.Is(err, syscall.ECONNRESET):
		return cause.Reset.With("while connecting")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS):
		return cause.Limit.With("the proxy has no descriptor left")
	}
	return cause.Unreachable.With("connecting failed")
}

// readCause maps an error of an established connection to what the page is told.
func readCause(err error) *cause.Error {
	if errors.Is(err, syscall.ETIMEDOUT) {
		return cause.TimedOut.With("the backend no longer answers")
	}
	return cause.Reset.With("by the backend")
}
