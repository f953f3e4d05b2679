package edge

import (
	"io"
	"net/netip"
)

// Requests counts the requests that p holds whole, by the framing alone; ok is false at
// a fault.
func Requests(p []byte) (n int, ok bool) {
	var f framing
	for len(p) > 0 {
		used, bad := f.scan(p)
		if bad != nil {
			return n, false
		}
		p = p[used:]
		if f.between() || f.state == inUpgrade {
			n++
		}
		if f.state == inUpgrade {
			return n, true
		}
	}
	return n, true
}

// ReadProxyHeader reads one header.
func ReadProxyHeader(r io.Reader) error {
	_, err := readProxyHeader(r)
	return err
}

// Names reports whether a is a balancer's.
func (f Forwarded) Names(a netip.Addr) bool { return contains(f, a.Unmap()) }
