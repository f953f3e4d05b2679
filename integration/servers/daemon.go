package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running server.
type Server struct {
	Host string // 127.0.0.1
	Port int
	Dir  string // its directory
	UID  int    // whom it runs as

	cmd    *exec.Cmd
	output *output
	exited chan struct{}
}

// Addr is the server's address as HOST:PORT.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// daemon describes how to start a server in the foreground.
type daemon struct {
	command string   // its name, or its path when it is not in PATH
	apt     string   // the package that brings it
	needs   []string // files that the package brings, beside the command
	// prepare returns the arguments and further environment (KEY=VALUE) for a server that
	// listens on port, and the files to write to dir before.
	prepare func(dir string, port int) (args, env []string, files map[string]string)
}

// nobody is the user and group that servers run as under root.
const nobody = 65534

// start starts the daemon for t and waits until it accepts connections. The port was free
// a moment ago; when somebody took it meanwhile another one is tried.
func (d daemon) start(t testing.TB) *Server {
	t.Helper()
	path := d.find(t)
	var last error
	for range 5 {
		s, err := d.try(t, path)
		if err == nil {
			t.Cleanup(func() { s.stop(t) })
			return s
		}
		last = err
	}
	t.Fatal(last)
	return nil
}

// find returns the path of the daemon's command.
func (d daemon) find(t testing.TB) string {
	t.Helper()
	for _, file := range d.needs {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%s is not there: apt-get install %s", file, d.apt)
		}
	}
	for _, name := range []string{d.command, "/usr/sbin/" + d.command} { // sbin is not in everybody's PATH
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", d.command, d.apt)
	return ""
}

func (d daemon) try(t testing.TB, path string) (*Server, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "encke-"+filepath.Base(path)+"-")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Host: "127.0.0.1", Port: freePort(t), Dir: dir, UID: os.Getuid(), output: new(output), exited: make(chan struct{})}
	args, env, files := d.prepare(dir, s.Port)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	if os.Getuid() == 0 {
		s.UID = nobody
		if err := give(dir); err != nil {
			return nil, err
		}
	}
	s.cmd = s.command(path, args, env)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() { // until the process ends
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.ready(); err != nil {
		s.stop(t)
		return nil, fmt.Errorf("%s: %w\n%s", path, err, s.output)
	}
	return s, nil
}

// command makes a command that runs in the server's directory as the server's user.
func (s *Server) command(path string, args, env []string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.Dir
	cmd.Env = append(append(os.Environ(), "HOME="+s.Dir), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if s.UID != os.Getuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.UID), Gid: uint32(s.UID)}
	}
	return cmd
}

// ready waits until the server accepts a connection, at most two minutes.
func (s *Server) ready() error {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.exited:
			return fmt.Errorf("ended instead of listening on %s", s.Addr())
		default:
		}
		if conn, err := net.Dial("tcp", s.Addr()); err == nil {
			return conn.Close()
		}
	}
	return fmt.Errorf("does not listen on %s after two minutes", s.Addr())
}

// stop ends the server and everything it has started.
func (s *Server) stop(t testing.TB) {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.exited
	if t.Failed() {
		t.Logf("%s said:\n%s", s.cmd.Path, s.output)
	}
}

// give makes dir and what is in it the property of nobody.
func give(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
}

// freePort returns a port of 127.0.0.1 that was free when it was asked for.
func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// output keeps what a server writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
