package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plan is what a run does.
type plan struct {
	peers, scenarios, idle string // as the flags say
	rounds                 int
	lengths                lengths
	encke, dir, out        string
	backend                string
	target, like           string
	pid                    int
	verbose                bool

	began   time.Time
	server  *backend
	launch  launch
	results results
}

// run measures everything and writes the report. A signal ends it early and cleans up.
func (p *plan) run(interrupted <-chan struct{}) error {
	chosen, err := p.choosePeers()
	if err != nil {
		return err
	}
	cells, err := p.chooseScenarios()
	if err != nil {
		return err
	}
	counts, err := p.chooseCounts()
	if err != nil {
		return err
	}
	if p.server, err = startBackend(p.backend); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "encke-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if p.launch.dir, err = filepath.Abs(p.dir); err != nil {
		return err
	}
	if p.launch.encke, err = filepath.Abs(p.encke); err != nil {
		return err
	}
	p.launch.scratch = scratch

	p.began = time.Now()
	p.results = results{
		Date: p.began.UTC().Format("2006-01-02 15:04 UTC"), Command: p.command(), Machine: machine(), Go: runtime.Version(),
		Rounds: p.rounds, Length: p.lengths.measured.String(),
		Samples: map[string]map[string][]sample{}, Idle: map[string][]idleSample{},
	}
	for _, c := range chosen {
		p.results.Peers = append(p.results.Peers, peerInfo{c.name, c.about})
	}
	if err := p.measureCells(chosen, cells, interrupted); err != nil {
		return err
	}
	if err := p.measureIdle(chosen, counts, interrupted); err != nil {
		return err
	}
	p.results.Seconds = time.Since(p.began).Seconds()
	return p.write()
}

var errInterrupted = errors.New("interrupted")

// measureCells runs the scenarios, all peers in each round, the order reversed in every
// second one.
func (p *plan) measureCells(chosen []*peer, cells []scenario, interrupted <-chan struct{}) error {
	if len(cells) == 0 {
		return nil
	}
	var all []*running
	defer func() {
		for _, r := range all {
			r.process.stop()
		}
	}()
	for _, c := range chosen {
		if c.onlyIdle {
			continue
		}
		r, err := c.run(p.server, p.launch, p.lengths, p.verbose)
		if err != nil {
			p.say("%s does not start: %v", c.name, err)
			continue
		}
		all = append(all, r)
	}
	for _, sc := range cells {
		p.results.Samples[sc.name] = map[string][]sample{}
		for round := range p.rounds {
			order := slices.Clone(all)
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, r := range order {
				r.lengths.measured = p.lengths.of(sc)
				s, err := guard(r.lengths.measured+p.lengths.warm+20*time.Second, interrupted, func() sample { return sc.run(r) })
				if errors.Is(err, errInterrupted) {
					return err
				}
				if err != nil {
					s.Err = err.Error()
				}
				p.server.settle()
				p.results.Samples[sc.name][r.name] = append(p.results.Samples[sc.name][r.name], s)
				p.say("%-9s %-14s %10.1f %s cpu %.2f own %.2f %s", sc.name, r.name, s.Value, sc.unit, s.CPU, s.Harness, s.Err)
			}
		}
	}
	return nil
}

// measureIdle starts each peer afresh for each count.
func (p *plan) measureIdle(chosen []*peer, counts []int, interrupted <-chan struct{}) error {
	for _, n := range counts {
		over := time.Second
		if n == slices.Max(counts) {
			over = p.lengths.idle
		}
		for _, c := range chosen {
			k := n
			if c.maxIdle > 0 {
				k = min(n, c.maxIdle)
			}
			done := slices.ContainsFunc(p.results.Idle[c.name], func(s idleSample) bool { return s.N == k })
			if c.name == limitPeer || done {
				continue
			}
			r, err := c.run(p.server, p.launch, p.lengths, p.verbose)
			if err != nil {
				p.say("%s does not start: %v", c.name, err)
				continue
			}
			s, err := guard(3*time.Minute, interrupted, func() idleSample { return r.idle(k, over) })
			r.process.stop()
			if errors.Is(err, errInterrupted) {
				return err
			}
			if err != nil {
				s = idleSample{N: k, Err: err.Error()}
			}
			p.server.settle()
			p.results.Idle[c.name] = append(p.results.Idle[c.name], s)
			p.say("idle %d %s: %.1f KiB RSS each, opened in %.1f s %s", k, c.name, s.Each/1024, s.Opening, s.Err)
		}
	}
	return nil
}

func (p *plan) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

func (p *plan) choosePeers() ([]*peer, error) {
	all := peers
	if p.target != "" {
		i := slices.IndexFunc(peers, func(c *peer) bool { return c.name == p.like })
		if i < 0 {
			return nil, fmt.Errorf("no peer %q", p.like)
		}
		all = append(slices.Clip(all), &peer{name: "target", about: p.target, quick: true, dial: peers[i].dial,
			start: func(proc *process, _ launch) (string, error) {
				if p.pid != 0 {
					proc.pids = []int{p.pid}
				}
				return p.target, nil
			}})
		if p.peers != "all" {
			p.peers += ",target"
		}
	}
	return choose(all, p.peers, "peer", func(c *peer) (string, bool) { return c.name, c.quick })
}

func (p *plan) chooseScenarios() ([]scenario, error) {
	return choose(scenarios, p.scenarios, "scenario", func(s scenario) (string, bool) { return s.name, s.quick })
}

// choose returns those that list names, in the order of all.
func choose[T any](all []T, list, kind string, describe func(T) (name string, quick bool)) ([]T, error) {
	wanted := strings.Split(list, ",")
	var chosen []T
	for _, x := range all {
		name, quick := describe(x)
		at := slices.Index(wanted, name)
		if list == "all" || slices.Contains(wanted, "quick") && quick || at >= 0 {
			chosen = append(chosen, x)
		}
		if at >= 0 {
			wanted = slices.Delete(wanted, at, at+1)
		}
	}
	for _, name := range wanted {
		if name != "all" && name != "quick" && name != "none" {
			return nil, fmt.Errorf("no %s %q", kind, name)
		}
	}
	return chosen, nil
}

func (p *plan) chooseCounts() ([]int, error) {
	if p.idle == "none" {
		return nil, nil
	}
	var counts []int
	for f := range strings.SplitSeq(p.idle, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-idle: %q is not a count", f)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// command returns the command line for the report.
func (p *plan) command() string {
	return strings.Join(append([]string{"encke-bench"}, os.Args[1:]...), " ")
}

// machine describes the machine in a few words.
func machine() string {
	model := "unknown processor"
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range bytes.Lines(b) {
		if name, after, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(name)) == "model name" {
			model = string(bytes.TrimSpace(after))
			break
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d CPUs (%s), Linux %s", runtime.NumCPU(), model, bytes.TrimSpace(release))
}

// write writes the report to the files and to stdout.
func (p *plan) write() error {
	text := p.results.markdown()
	data, err := json.MarshalIndent(&p.results, "", " ")
	if err != nil {
		return err
	}
	if p.out != "" {
		if err := os.MkdirAll(filepath.Dir(p.out), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p.out+".json", data, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(p.out+".md", []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Print(text)
	return nil
}
