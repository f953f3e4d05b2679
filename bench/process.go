package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running proxy: what the harness started, and its children.
type process struct {
	pids    []int // roots of the process trees
	cmds    []*exec.Cmd
	verbose bool // show what they write
}

// run starts a program that is part of the proxy. It ends with the harness.
func (p *process) run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if p.verbose {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmds = append(p.cmds, cmd)
	p.pids = append(p.pids, cmd.Process.Pid)
	return nil
}

// stop ends the process groups that run started.
func (p *process) stop() {
	for _, c := range p.cmds {
		syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { // until the process has ended, at the latest when it is killed
			c.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(time.Second):
		}
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		<-done
	}
	p.cmds = nil
}

// tree returns the live processes below the roots and the CPU seconds they have used.
func (p *process) tree() (pids []int, cpu float64) {
	if len(p.pids) == 0 {
		return nil, 0
	}
	reaped := map[int]float64{}
	children := map[int][]int{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		if parent, cpu, ok := stat(pid); ok {
			reaped[pid] = cpu
			children[parent] = append(children[parent], pid)
		}
	}
	var walk func(int)
	walk = func(pid int) {
		if c, ok := reaped[pid]; ok {
			pids = append(pids, pid)
			cpu += c + threadCPU(pid)
		}
		for _, child := range children[pid] {
			walk(child)
		}
	}
	for _, root := range p.pids {
		walk(root)
	}
	return pids, cpu
}

// stat returns a process's parent and the CPU seconds of the children it has reaped,
// which the kernel tells in ticks of 10 ms.
func stat(pid int) (parent int, cpu float64, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	parent, _ = strconv.Atoi(f[1])
	for _, v := range f[13:15] { // cutime, cstime
		n, _ := strconv.Atoi(v)
		cpu += float64(n) / 100
	}
	return parent, cpu, true
}

// threadCPU returns the CPU seconds of a process's own threads, to the nanosecond, so
// that many small processes count.
func threadCPU(pid int) (cpu float64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		if f := strings.Fields(string(b)); len(f) > 0 {
			n, _ := strconv.ParseFloat(f[0], 64)
			cpu += n / 1e9
		}
	}
	return cpu
}

// memory returns the resident and the proportional set size of the tree in bytes. The
// second counts pages that forked children share once.
func (p *process) memory() (rss, pss float64) {
	pids, _ := p.tree()
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 2 {
				continue
			}
			kib, _ := strconv.ParseFloat(f[1], 64)
			switch f[0] {
			case "Rss:":
				rss += kib * 1024
			case "Pss:":
				pss += kib * 1024
			}
		}
	}
	return rss, pss
}

// ownCPU returns the CPU seconds of the harness: clients and backend.
func ownCPU() float64 {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return float64(ru.Utime.Sec+ru.Stime.Sec) + float64(ru.Utime.Usec+ru.Stime.Usec)/1e6
}

// freePort returns a port of 127.0.0.1 that nobody listens on.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
