package transports_test

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// Who ends the session and is gone when that is read is told nothing; who stays is told.
func TestWhoHasLeftIsNotTold(t *testing.T) {
	for name, leaves := range map[string]bool{"leaves": true, "leaves, and is at fault": true, "stays": false, "stays and pings": false} {
		r := newRig(t, transports.Options{}, csp.Options{})
		conn := r.rawWS().(*net.TCPConn)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		conn.Write(maskedFrame(2, r.hello()))
		if _, err := conn.Read(make([]byte, 4096)); err != nil { // WELCOME
			t.Fatal(err)
		}
		raw, _ := conn.SyscallConn()
		raw.Control(func(fd uintptr) { // so that the end comes together with CLOSE
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1)
		})
		last := csp.AppendClose(nil, cause.Closed.Err())
		if name == "leaves, and is at fault" {
			last = append((&csp.Record{Kind: csp.Ack, ID: 9}).Append(nil), last...)
		}
		conn.Write(maskedFrame(2, last))
		if leaves {
			conn.CloseWrite()
		} else {
			if name == "stays and pings" {
				conn.Write(maskedFrame(9, []byte("ping")))
			}
			raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 0) })
		}
		var told bytes.Buffer
		p := make([]byte, 4096)
		for {
			n, err := conn.Read(p)
			told.Write(p[:n])
			if bytes.Contains(told.Bytes(), []byte{0x0f, 0xa0}) { // the close frame, 4000
				conn.Close()
				break
			}
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: told % x, then %v", name, told.Bytes(), err)
			}
		}
		if bye := csp.AppendClose(nil, &cause.Error{Code: cause.Closed, Text: "by the page"}); leaves && told.Len() > 0 || !leaves && !bytes.Contains(told.Bytes(), bye) {
			t.Errorf("%s: told % x", name, told.Bytes())
		}
		for until := time.Now().Add(20 * time.Second); r.server.Stats().Live != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s: the session lives", name)
			}
		}
	}
}
