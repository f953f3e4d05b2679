// Package nameserver answers DNS for tests, over UDP on the loopback interface.
package nameserver

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Server is a name server. What a name has no answers for does not exist.
type Server struct {
	conn net.PacketConn

	mu      sync.Mutex
	answers map[string][][]string // by name with its dot: what each lookup gets, the last one for good
	asked   map[string]int        // lookups by type and name: "A www.test."
}

// New starts a server on a UDP address such as 127.0.0.1:0. It ends with t.
func New(t testing.TB, addr string) (*Server, error) {
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{conn: conn, answers: make(map[string][][]string), asked: make(map[string]int)}
	var done sync.WaitGroup
	done.Go(s.serve) // until conn is closed
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
	})
	return s, nil
}

// Addr is where the server is asked.
func (s *Server) Addr() string { return s.conn.LocalAddr().String() }

// Set says what lookups of a name get, one list of addresses for each.
func (s *Server) Set(name string, lists ...[]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name+"."] = lists
}

// Count returns how often the name was looked up.
func (s *Server) Count(name string) (a, aaaa int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked["A "+name+"."], s.asked["AAAA "+name+"."]
}

// Total returns how many lookups there were.
func (s *Server) Total() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.asked {
		n += one
	}
	return n
}

// Silence says that a name is looked up and never answered.
func (s *Server) Silence(name string) { s.Set(name, silence) }

// silence in place of addresses: no answer.
var silence = []string{"silence"}

var errSilence = errors.New("no answer to this one")

func (s *Server) serve() {
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
func (s *Server) answer(query []byte) ([]byte, error) {
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
	if slices.Equal(list, silence) {
		return nil, errSilence
	}
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

func (s *Server) lookup(q dnsmessage.Question) ([]string, bool) {
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
