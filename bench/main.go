// Command encke-bench measures proxies from browsers to TCP side by side: Encke and its
// peers in one run, in front of one backend. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "relay":
			relayMain(os.Args[2:])
			return
		case "floor":
			floorMain(os.Args[2:])
			return
		}
	}
	runtime.LockOSThread() // the peers end when the thread that started them does
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "encke-bench:", err)
		os.Exit(1)
	}
}

func measure() error {
	var p plan
	flag.StringVar(&p.peers, "peers", "all", "comma-separated `names` of peers, or all; quick: a few")
	flag.StringVar(&p.scenarios, "scenarios", "all", "comma-separated `names` of scenarios, or all, quick or none")
	flag.IntVar(&p.rounds, "rounds", 5, "interleaved rounds of every scenario")
	flag.DurationVar(&p.lengths.measured, "time", 800*time.Millisecond, "measured time of each cell")
	flag.DurationVar(&p.lengths.warm, "warm", 250*time.Millisecond, "time before it that is not measured")
	flag.DurationVar(&p.lengths.settle, "settle", 5*time.Second, "time between the last traffic of idle streams and reading memory")
	flag.DurationVar(&p.lengths.idle, "idle-cpu", 25*time.Second, "time over which the CPU of the most idle streams is read")
	flag.StringVar(&p.idle, "idle", "100,1000,9500", "comma-separated `counts` of idle streams, or none")
	flag.IntVar(&p.lengths.touch, "touch", 64<<10, "`bytes`, at most 65536, that each idle stream echoes before memory is read")
	flag.StringVar(&p.encke, "encke", "../bin/encke", "the command under test")
	flag.StringVar(&p.dir, "dir", ".", "the `folder` of this module")
	flag.StringVar(&p.out, "out", "results/bench", "write `PATH`.json and PATH.md")
	flag.StringVar(&p.backend, "backend", "127.0.0.1:0", "`address` of the backend, which is in this process")
	flag.StringVar(&p.target, "target", "", "measure also the proxy that runs already at this `URL`, as peer target")
	flag.StringVar(&p.like, "like", "relay", "the `peer` whose protocol the target speaks")
	flag.IntVar(&p.pid, "pid", 0, "`process` of the target")
	flag.BoolVar(&p.verbose, "verbose", false, "show what the peers write")
	list := flag.Bool("list", false, "list peers and scenarios")
	flag.Parse()
	if *list {
		for _, p := range peers {
			fmt.Printf("peer %-14s %s\n", p.name, p.about)
		}
		for _, s := range scenarios {
			fmt.Printf("scenario %-9s %-9s %s\n", s.name, s.unit, s.about)
		}
		return nil
	}
	if err := allowFiles(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return p.run(ctx.Done())
}

// allowFiles raises the limit of open files as far as it goes.
func allowFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
