package process_test

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"encke/integration/process"
)

// shell starts a shell that reads commands from in; it ends with t.
func shell(t *testing.T) (p process.Process, in io.Writer, out *bufio.Reader) {
	t.Helper()
	cmd := exec.Command("sh")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return process.Process(cmd.Process.Pid), stdin, bufio.NewReader(stdout)
}

func say(t *testing.T, in io.Writer, out *bufio.Reader, command, want string) {
	t.Helper()
	if _, err := io.WriteString(in, command+"\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := out.ReadString('\n'); err != nil || !strings.Contains(got, want) {
		t.Fatalf("%s: %q, %v, want %q", command, got, err, want)
	}
}

func TestFigures(t *testing.T) {
	p, in, out := shell(t)
	say(t, in, out, "echo ready", "ready")
	before := p.Files()
	say(t, in, out, "exec 7</dev/null 8</dev/null; echo open", "open")
	if got := p.Files(); got != before+2 || before < 3 {
		t.Errorf("%d descriptors, want two more than %d", got, before)
	}
	if got := p.Memory(); got < 100<<10 || got > p.PeakMemory() {
		t.Errorf("memory %d, at most %d", got, p.PeakMemory())
	}
	used := p.CPU()
	say(t, in, out, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i", "100000")
	if got := p.CPU(); got <= used {
		t.Errorf("a loop took %v", got-used)
	}
	if gone := process.Process(1 << 30); gone.Memory() != 0 || gone.Files() != 0 || gone.CPU() != 0 {
		t.Error("a process that is not there has memory, files or time")
	}
}

func TestStop(t *testing.T) {
	p, in, out := shell(t)
	say(t, in, out, "echo ready", "ready")
	p.Stop(t)
	used := p.CPU()
	if _, err := io.WriteString(in, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo awake\n"); err != nil {
		t.Fatal(err)
	}
	if got := p.CPU(); got != used {
		t.Errorf("a stopped process used %v", got-used)
	}
	p.Continue()
	if got, err := out.ReadString('\n'); got != "awake\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLimitFiles(t *testing.T) {
	p, in, out := shell(t)
	say(t, in, out, "ulimit -n 200; ulimit -n", "200")
	restore := p.LimitFiles(t, 20)
	say(t, in, out, "ulimit -n", "20")
	restore()
	say(t, in, out, "ulimit -n", "200")
}

func TestCgroup(t *testing.T) {
	g := process.NewCgroup(t, 24<<20)
	p, in, out := shell(t)
	g.Add(t, p)
	say(t, in, out, "head -c 1000000 /dev/zero | tr '\\0' x >/dev/null; echo small", "small")
	if g.Used() == 0 {
		t.Error("nothing is used")
	}
	// tail keeps what it reads until a line ends.
	if _, err := io.WriteString(in, "head -c 60000000 /dev/zero | tail >/dev/null; echo $?\n"); err != nil {
		t.Fatal(err)
	}
	status, err := out.ReadString('\n')
	if err == nil && strings.HasPrefix(status, "Killed") {
		status, err = out.ReadString('\n')
	}
	if err != nil || strings.TrimSpace(status) != "137" {
		t.Errorf("60 MB within 24 MiB: %q, %v, want status 137", status, err)
	}
}
