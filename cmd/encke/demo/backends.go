package demo

import (
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/hashicorp/go-multierror"
)

// Backends are the running servers of the demo. Its methods may be called
// concurrently.
type Backends struct {
	broker, echo, counter backend

	once     sync.Once
	closeErr error
}

// A backend is one server: where it listens and how it ends.
type backend struct {
	addr *net.TCPAddr
	stop func() error // ends everything it started; called once
}

// Start starts the servers on free ports of 127.0.0.1. They run until Close.
func Start() (*Backends, error) {
	b := &Backends{}
	for _, s := range []struct {
		name  string
		start func() (backend, error)
		into  *backend
	}{
		{"broker", startBroker, &b.broker},
		{"echo server", startEcho, &b.echo},
		{"counter", startCounter, &b.counter},
	} {
		started, err := s.start()
		if err != nil {
			return nil, multierror.Append(fmt.Errorf("start %s: %w", s.name, err), b.Close()).ErrorOrNil()
		}
		*s.into = started
	}
	return b, nil
}

// Allow returns one whitelist rule per server, such as "127.0.0.1:40123".
func (b *Backends) Allow() []string {
	return []string{b.broker.addr.String(), b.echo.addr.String(), b.counter.addr.String()}
}

// Close ends the servers and everything connected to them, and waits for their
// goroutines. Further calls return what the first one returned.
func (b *Backends) Close() error {
	b.once.Do(func() {
		var errs *multierror.Error
		for _, s := range []backend{b.broker, b.echo, b.counter} {
			if s.stop != nil {
				errs = multierror.Append(errs, s.stop())
			}
		}
		b.closeErr = errs.ErrorOrNil()
	})
	return b.closeErr
}

// Info is what the pages have to know, served to them as demo.json.
type Info struct {
	MQTT    Target `json:"mqtt"`
	Echo    Target `json:"echo"`
	Counter Target `json:"counter"`
}

// Target is what a page hands to new TCPSocket(host, port).
type Target struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

// Info returns where the servers listen.
func (b *Backends) Info() Info {
	return Info{MQTT: b.broker.target(), Echo: b.echo.target(), Counter: b.counter.target()}
}

// String returns the servers on one line, for a log.
func (b *Backends) String() string {
	return "mqtt=" + b.broker.addr.String() +
		" echo=" + b.echo.addr.String() +
		" counter=" + b.counter.addr.String()
}

func (s backend) target() Target {
	host, port, _ := net.SplitHostPort(s.addr.String()) // a TCPAddr always splits
	n, _ := strconv.Atoi(port)
	return Target{Host: host, Port: n}
}
