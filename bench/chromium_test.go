package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"encke/integration/browser"
)

//go:embed page/*
var pageFiles embed.FS

// inBrowser is one way for a page to reach the backend.
type inBrowser struct {
	name      string
	library   string // the function of page/streams.js that opens streams
	transport string
	rival     string // who does the same in SockJS
}

var waysInBrowser = []inBrowser{
	{"WebSocket and relay", "bare", "", ""},
	{"sockjs websocket", "sockjs", "websocket", ""},
	{"sockjs xhr-streaming", "sockjs", "xhr-streaming", ""},
	{"sockjs eventsource", "sockjs", "eventsource", ""},
	{"sockjs xhr-polling", "sockjs", "xhr-polling", ""},
	{"sockjs iframe-htmlfile", "sockjs", "iframe-htmlfile", ""},
	{"sockjs jsonp-polling", "sockjs", "jsonp-polling", ""},
	{"encke websocket", "encke", "websocket", "sockjs websocket"},
	{"encke fetch-streaming", "encke", "fetch-streaming", "sockjs xhr-streaming"},
	{"encke xhr-streaming", "encke", "xhr-streaming", "sockjs xhr-streaming"},
	{"encke eventsource", "encke", "eventsource", "sockjs eventsource"},
	{"encke long-polling", "encke", "long-polling", "sockjs xhr-polling"},
	{"encke iframe", "encke", "iframe", "sockjs iframe-htmlfile"},
	{"encke jsonp", "encke", "jsonp", "sockjs jsonp-polling"},
}

// inPage is what a page measures of one way.
type inPage struct {
	P50 float64 // of the echo of 64 bytes, ms
	P99 float64
	MBs float64 // bulk download
}

// BenchmarkChromium measures TCPSocket.js, sockjs-client and a bare WebSocket, each in a
// fresh Chromium, rounds interleaved, and writes results/chromium.md. One iteration is a
// round; CHROMIUM_SECONDS (default 2) is how long each download takes.
func BenchmarkChromium(b *testing.B) {
	seconds, err := strconv.ParseFloat(os.Getenv("CHROMIUM_SECONDS"), 64)
	if err != nil {
		seconds = 2
	}
	rig := startPageRig(b)
	all := map[string][]inPage{}
	round := 0
	for b.Loop() {
		order := slices.Clone(waysInBrowser)
		if round++; round%2 == 0 {
			slices.Reverse(order)
		}
		for _, way := range order {
			got, err := rig.measure(way, seconds)
			if err != nil {
				b.Errorf("%s: %v", way.name, err)
				continue
			}
			all[way.name] = append(all[way.name], got)
			b.Logf("%-22s p50 %6.2f ms  p99 %6.2f ms  %7.1f MB/s", way.name, got.P50, got.P99, got.MBs)
		}
	}
	b.StopTimer()
	report := chromiumReport(rig.version, all)
	b.Logf("\n%s", report)
	if err := os.MkdirAll("results", 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile("results/chromium.md", []byte(report), 0o644); err != nil {
		b.Fatal(err)
	}
}

// chromiumReport returns the table.
func chromiumReport(version string, all map[string][]inPage) string {
	of := func(name string, f func(inPage) float64) float64 {
		var v []float64
		for _, x := range all[name] {
			v = append(v, f(x))
		}
		return median(v)
	}
	echo50 := func(x inPage) float64 { return x.P50 }
	bulk := func(x inPage) float64 { return x.MBs }
	best := 0.0
	for _, way := range waysInBrowser {
		if way.library == "sockjs" && way.transport != "websocket" {
			best = max(best, of(way.name, bulk))
		}
	}
	var t strings.Builder
	fmt.Fprintf(&t, "%s, %s, %s; %d rounds, medians.\n\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), machine(), version, len(all[waysInBrowser[0].name]))
	head(&t, "way", "echo p50 ms", "echo p99 ms", "down MB/s", "echo: times faster than SockJS's same", "down ÷ SockJS's best Comet")
	var floors []floor
	for _, way := range waysInBrowser {
		faster, times := 0.0, 0.0
		if way.rival != "" && of(way.name, echo50) > 0 {
			faster = of(way.rival, echo50) / of(way.name, echo50)
		}
		if way.library == "encke" && best > 0 {
			times = of(way.name, bulk) / best
		}
		row(&t, way.name, number(of(way.name, echo50)), number(of(way.name, func(x inPage) float64 { return x.P99 })), number(of(way.name, bulk)), number(faster), number(times))
		if way.library == "encke" && way.transport != "websocket" {
			floors = append(floors, floor{what: "echo p50, times faster than " + way.rival, of: way.name, must: 5, mark: 10, least: true, got: faster, measured: faster > 0})
		}
		if way.transport == "fetch-streaming" {
			floors = append(floors, floor{what: "bulk down, ÷ SockJS's best Comet", of: way.name, must: 5, mark: 20, least: true, got: times, measured: times > 0})
		}
	}
	t.WriteString("\n")
	floorTable(&t, "of medians", floors)
	return t.String()
}

// pageRig is what a page is measured with: a browser, a site, and the proxies in front of
// one backend.
type pageRig struct {
	executable, version  string // of the browser
	dir                  string // for its profiles
	backend              *backend
	site                 string
	relay, sockjs, encke string // for the page
	port                 int

	task   atomic.Pointer[[]byte] // what the next page is to measure, JSON
	report chan []byte            // what it has measured, JSON
}

func startPageRig(b *testing.B) *pageRig {
	back, err := startBackend("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	command := filepath.Join(dir, "encke")
	build := exec.Command("go", "build", "-trimpath", "-o", command, "./cmd/encke")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build encke: %v\n%s", err, out)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		b.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(back.addr)
	r := &pageRig{dir: dir, backend: back, report: make(chan []byte, 1)}
	if r.executable, err = browser.Find(browser.Chromium); err != nil {
		b.Fatal(err)
	}
	version, err := exec.Command(r.executable, "--version").Output()
	if err != nil {
		b.Fatalf("%s --version: %v", r.executable, err)
	}
	r.version = strings.TrimSpace(string(version))
	r.port, _ = strconv.Atoi(port)
	site := httptest.NewServer(http.HandlerFunc(r.serve))
	b.Cleanup(site.Close)
	r.site = site.URL + "/"

	proc := &process{verbose: testing.Verbose()}
	b.Cleanup(proc.stop)
	start := func(what func(*process, launch) (string, error)) string {
		l := launch{backendHost: host, backendPort: r.port, dir: here, scratch: dir}
		if l.port, err = freePort(); err != nil {
			b.Fatal(err)
		}
		target, err := what(proc, l)
		if err != nil {
			b.Fatal(err)
		}
		awaitListener(b, l.listen())
		return target
	}
	r.relay = start(startSelf("relay"))
	r.sockjs = start(startSockJS)
	r.encke = start(func(p *process, l launch) (string, error) {
		return l.url("http", "/"), p.run(dir, command, "--listen", l.listen(), "--allow", l.backend(), "--origin", site.URL, "--log-level", "error",
			"--transports", "websocket,fetch-streaming,xhr-streaming,eventsource,long-polling,iframe,jsonp")
	})
	return r
}

// awaitListener waits until somebody listens at addr.
func awaitListener(b *testing.B, addr string) {
	b.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
	}
	b.Fatalf("nobody listens at %s", addr)
}

// measure lets a page in a new browser measure way. Nothing is attached to the browser: a
// debugger, with which tests drive their pages, is told of each request and of each piece of
// an answer, and that takes longer than they do.
func (r *pageRig) measure(way inBrowser, seconds float64) (inPage, error) {
	task, err := json.Marshal(map[string]any{
		"library": way.library, "transport": way.transport, "relay": r.relay, "sockjs": r.sockjs, "encke": r.encke,
		"port": r.port, "echoes": 200, "seconds": seconds,
	})
	if err != nil {
		return inPage{}, err
	}
	r.task.Store(&task)
	profile, err := os.MkdirTemp(r.dir, "profile")
	if err != nil {
		return inPage{}, err
	}
	proc := &process{}
	if err := proc.run(r.dir, r.executable, "--headless=new", "--user-data-dir="+profile,
		"--no-sandbox",                          // the benchmark may run as root
		"--disable-background-timer-throttling", // else SockJS in an iframe sends once a second
		"--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		r.site); err != nil {
		return inPage{}, err
	}
	defer r.backend.settle()
	defer proc.stop()
	select {
	case text := <-r.report:
		var got struct {
			inPage
			Error string
		}
		if err := json.Unmarshal(text, &got); err != nil {
			return inPage{}, err
		}
		if got.Error != "" {
			return inPage{}, errors.New(got.Error)
		}
		return got.inPage, nil
	case <-time.After(2 * time.Minute):
		return inPage{}, errors.New("the page has not measured anything within two minutes")
	}
}

// serve is the web server of the page.
func (r *pageRig) serve(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script src="%sTCPSocket.js"></script><script src="%s/../client.js"></script><script src="/page/streams.js"></script>
<script>onload = () => report(%s)</script>`, r.encke, r.sockjs, *r.task.Load())
	case "/report":
		text, err := io.ReadAll(req.Body)
		if err == nil {
			r.report <- text
		}
	default:
		f, err := pageFiles.Open(strings.TrimPrefix(req.URL.Path, "/"))
		if err != nil {
			http.NotFound(w, req)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		io.Copy(w, f)
	}
}
