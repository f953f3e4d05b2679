package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"encke/integration/backend"
	"encke/integration/mute"
	"encke/integration/process"
	"encke/integration/proxy"
)

// littleMemory: the proxy may have little memory, and pages that read nothing come in
// crowds. It takes as many as it can, turns others away, and is not killed.
func littleMemory(f *fault) {
	const limit = 128 << 20
	group := process.NewCgroup(f.T, limit)
	// Without the race detector, whose memory is not the proxy's; started by a shell that
	// goes into the group first.
	dir := f.TempDir()
	command, err := proxy.BuildWatched(dir, false)
	if err != nil {
		f.Fatal(err)
	}
	script := filepath.Join(dir, "within")
	text := fmt.Sprintf("#!/bin/sh\necho $$ >%s/cgroup.procs && exec %s \"$@\"\n", group.Path(), command)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		f.Fatal(err)
	}
	f.startAs(proxy.Command(script), proxy.Options{Args: []string{"--node", "mute", "--linger", "2s"}})
	source := backend.Source(f.T, 31, 1<<50)
	healthy := f.echo(f.peer(), backend.Echo(f.T), 5)
	if err := healthy.say(small); err != nil {
		f.Fatal(err)
	}
	pid := process.Process(f.proxy.PID())
	var pages []*mute.Page
	turnedAway := 0
	for range either(1500, 600) {
		page := &mute.Page{Proxy: f.proxy.Addr, Transport: f.transport, Host: source.Host(), Port: source.Port()}
		if err := page.Link(f.Context()); err != nil {
			if turnedAway == 0 {
				f.Logf("page %d was turned away: %v", len(pages)+1, err)
			}
			page.Close()
			if turnedAway++; turnedAway == 5 {
				break
			}
			continue
		}
		pages = append(pages, page)
	}
	used, began := pid.CPU(), time.Now()
	for time.Since(began) < 3*time.Second {
		if err := healthy.say(small); err != nil {
			f.Fatalf("I5: a session that was there: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	share := (pid.CPU() - used).Seconds() / time.Since(began).Seconds()
	f.Logf("%d pages were taken, %d turned away; resident %d MiB, %d of %d MiB count; %.0f%% of a processor",
		len(pages), turnedAway, pid.Memory()>>20, group.Used()>>20, limit>>20, share*100)
	if turnedAway == 0 {
		f.Error("I2: nobody was turned away: the row shows nothing")
	}
	if share > 0.5 {
		f.Errorf("the proxy used %.0f%% of a processor for pages that do nothing", share*100)
	}
	for _, page := range pages {
		page.Close()
	}
	until(f, "the sessions to be given up", func() bool { return source.Open() == 0 })
	again := f.echo(f.peer(), backend.Echo(f.T), 6)
	if err := errors.Join(again.say(small), again.end(), healthy.end()); err != nil {
		f.Error(err)
	}
}

// unheard: nobody reads what the proxy logs. Traffic goes on; what could not be logged is
// counted.
func unheard(f *fault) {
	f.Setenv("ENCKE_LOG_RATE", "-1")
	f.start(proxy.Options{Allow: []string{"127.0.0.1:*"}, Args: []string{"--log-level", "debug"}})
	e := f.echo(f.peer(), backend.Echo(f.T), 5)
	hear := f.proxy.Deafen()
	defer hear()
	// Each refusal is a line, with the name that was asked for.
	const lines, perSession = 4000, 20
	name := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example"
	for range lines / perSession {
		p := f.peer()
		for range perSession {
			if conn, err := p.Open(f.Context(), name, 80); err == nil {
				_ = conn.Close()
				f.Fatal("a target that is not allowed was opened")
			}
		}
		if err := e.say(small); err != nil {
			f.Fatalf("I1: %v", err)
		}
		if err := p.Close(); err != nil {
			f.Fatal(err)
		}
	}
	f.peers = f.peers[:1]
	hear()
	f.loud = true
	until(f, "the count of lines that were dropped", func() bool {
		if err := e.say(small); err != nil {
			f.Fatalf("I1: %v", err)
		}
		_, _ = f.peers[0].Open(f.Context(), name, 80) // says something new
		return strings.Contains(f.proxy.Log(), "dropped=")
	})
	if err := e.end(); err != nil {
		f.Error(err)
	}
}
