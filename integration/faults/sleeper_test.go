package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/peer"
	"encke/integration/process"
	"encke/integration/proxy"
)

// asClient makes the test's own command a client in a process of its own, which can be
// stopped: "BASE TRANSPORT PORT".
const asClient = "ENCKE_FAULTS_CLIENT"

// clientMain opens a session and an echo. For each line on its input, a number, it echoes
// so many bytes, and says "ok SESSION" or "over CAUSE" or what went wrong.
func clientMain(settings string) int {
	var o peer.Options
	var port int
	if _, err := fmt.Sscan(settings, &o.Base, &o.Transport, &port); err != nil {
		fmt.Println(err)
		return 2
	}
	briskly(&o)
	p, err := peer.Dial(context.Background(), o)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	conn, err := p.Open(context.Background(), "127.0.0.1", port)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	e := &echo{Conn: conn, key: 4}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, err := strconv.Atoi(in.Text())
		if err == nil {
			err = e.say(n)
		}
		var why *cause.Error
		switch {
		case err == nil:
			fmt.Println("ok", p.ID())
		case errors.As(err, &why):
			fmt.Println("over", why.Code)
			return 0
		default:
			fmt.Println(err)
			return 1
		}
	}
	_ = e.end()
	_ = p.Close()
	return 0
}

// client is such a process.
type client struct {
	process.Process
	f   *fault
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func (f *fault) client(b *backend.Backend) *client {
	f.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=http://%s %s %d", asClient, f.relay.Addr(), f.transport, b.Port()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := &client{process.Process(cmd.Process.Pid), f, in, bufio.NewReader(out), cmd}
	if got := c.hear(); got != "ready" {
		f.Fatalf("the client says %q", got)
	}
	return c
}

func (c *client) hear() string {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

func (c *client) echo(n int) string {
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		return err.Error()
	}
	return c.hear()
}

// leave ends the client's session as it should.
func (c *client) leave() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// asleep: the client's machine sleeps. When it wakes within the time that the proxy gives
// it, it is in the same session; much later it is told at once that the session is lost.
func asleep(f *fault) {
	const linger = 4 * time.Second
	f.start(proxy.Options{Args: append([]string{"--linger", linger.String()}, brisk...)})
	b := backend.Echo(f.T)
	c := f.client(b)
	first := c.echo(1000)
	if !strings.HasPrefix(first, "ok ") {
		f.Fatalf("the client says %q", first)
	}
	c.Stop(f.T)
	time.Sleep(2 * time.Second)
	c.Continue()
	if got := c.echo(1000); got != first {
		f.Fatalf("I1: after a short sleep the client says %q, want %q", got, first)
	}
	if !full {
		c.leave()
		return
	}
	c.Stop(f.T)
	// Streams go on: the kernel of a sleeping process still acknowledges heartbeats.
	streams := map[string]bool{"fetch-streaming": true, "xhr-streaming": true, "eventsource": true, "iframe": true}
	if streams[f.transport] {
		time.Sleep(2*time.Second + 20*time.Second + linger + 2*time.Second)
	} else {
		until(f, "the proxy to let the backend go", func() bool { return b.Open() == 0 })
	}
	c.Continue()
	switch got := c.echo(1000); {
	case got == "over "+cause.SessionLost.String():
	case streams[f.transport] && got == first:
	default:
		f.Errorf("I2: after a long sleep the client says %q", got)
	}
	c.leave()
}
