package hostile

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers DNS over UDP on the loopback interface. What a name has no answers
// for does not exist.
type nameServer struct {
	conn net.PacketConn

	mu      sync.Mutex
	answers map[string][][]string // by name with its dot: what each lookup gets, the last one for good
	asked   map[string]int        // lookups by type and name: "A www.test."
}

// newNameServer starts a name server and makes it the one that this process asks.
func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, answers: make(map[string][][]string), asked: make(map[string]int)}
	var done sync.WaitGroup
	done.Go(s.serve) // until conn is closed
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = system
		conn.Close()
		done.Wait()
	})
	return s
}

// set says what lookups of a name get, one list of addresses for each.
func (s *nameServer) set(name string, lists ...[]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name+"."] = lists
}

// count returns how often the name was looked up.
func (s *nameServer) count(name string) (a, aaaa int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked["A "+name+"."], s.asked["AAAA "+name+"."]
}

// total returns how many lookups there were.
func (s *nameServer) total() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.asked {
		n += one
	}
	return n
}

func (s *nameServer) serve() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := s.answer(buf[:n]); err == nil {
			s.conn.WriteTo(answer, from)
		}
	}
}

// answer makes the answer to one query. A name in a list stands for a CNAME: the
// addresses behind it are its.
func (s *nameServer) answer(query []byte) ([]byte, error) {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	list, known := s.lookup(q)
	head.Response, head.Authoritative, head.RCode = true, true, dnsmessage.RCodeSuccess
	if !known {
		head.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, head)
	b.EnableCompression()
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(q); err != nil {
		return nil, err
	}
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	rh := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
	for _, text := range list {
		addr, err := netip.ParseAddr(text)
		switch {
		case err != nil:
			alias := dnsmessage.MustNewName(text)
			err = b.CNAMEResource(rh, dnsmessage.CNAMEResource{CNAME: alias})
			rh.Name = alias
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			err = b.AResource(rh, dnsmessage.AResource{A: addr.As4()})
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			err = b.AAAAResource(rh, dnsmessage.AAAAResource{AAAA: addr.As16()})
		default:
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

func (s *nameServer) lookup(q dnsmessage.Question) ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(q.Name.String())
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	nth := s.asked[kind+" "+name]
	s.asked[kind+" "+name]++
	lists, known := s.answers[name]
	if !known || len(lists) == 0 {
		return nil, known
	}
	return lists[min(nth, len(lists)-1)], true
}
