package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// How the peers are started.

func startNothing(_ *process, l launch) (string, error) { return "tcp://" + l.backend(), nil }

// startSelf starts a proxy that is built into this binary.
func startSelf(name string, extra ...string) func(*process, launch) (string, error) {
	return func(p *process, l launch) (string, error) {
		exe, err := os.Executable()
		if err != nil {
			return "", err
		}
		args := append([]string{name, "-listen", l.listen(), "-backend", l.backend()}, extra...)
		return l.url("ws", "/"), p.run(l.scratch, exe, args...)
	}
}

// startEncke starts the command under test as an operator would, with nothing but where
// it listens and what it allows.
func startEncke(p *process, l launch) (string, error) {
	return l.url("http", ""), p.run(l.scratch, l.encke, append([]string{"--listen", l.listen(), "--allow", l.backend()}, enckeArgs...)...)
}

// startEnckeOne starts it for sessions of more sockets than it lets them have by default.
func startEnckeOne(p *process, l launch) (string, error) {
	args := []string{"--listen", l.listen(), "--allow", l.backend(), "--max-sockets", strconv.Itoa(mostSockets + 1)}
	return l.url("http", ""), p.run(l.scratch, l.encke, append(args, enckeArgs...)...)
}

// enckeArgs lift the limits by address, because a load generator comes from few, that of
// descriptors, of which 9,500 sessions take more than the 90 % that are for sessions, and those
// of sockets: how many are opened in a second, and how many one target has. Everything else
// is as it is by default.
var enckeArgs = []string{"--max-descriptors", "25000", "--open-rate", "100000", "--open-burst", "100000", "--max-per-target", "20000", "--address-sockets", "-1", "--address-requests", "-1", "--address-sessions", "100000", "--address-handshakes", "100000", "--address-upgrades", "100000"}

func startWebsockify(p *process, l launch) (string, error) {
	return l.url("ws", "/"), p.run(l.scratch, "websockify", l.listen(), l.backend())
}

func startWisp(p *process, l launch) (string, error) {
	return l.url("ws", "/"), p.run(filepath.Join(l.dir, "peers/node"), "node",
		"node_modules/@mercuryworkshop/wisp-js/src/bin/server_cli.mjs", "-P", fmt.Sprint(l.port), "-L", "NONE",
		"-O", `{"allow_loopback_ips":true,"allow_private_ips":true}`)
}

func startSockJS(p *process, l launch) (string, error) {
	return l.url("http", "/s"), startNode(p, l, "sockjs.js")
}

func startEngine(p *process, l launch) (string, error) {
	return l.url("http", "/engine.io/"), startNode(p, l, "eio.js")
}

func startNode(p *process, l launch, script string) error {
	return p.run(filepath.Join(l.dir, "peers/node"), "node", script,
		fmt.Sprint(l.port), l.backendHost, fmt.Sprint(l.backendPort))
}

func startHAProxyTCP(p *process, l launch) (string, error) {
	return l.url("tcp", ""), haproxy(p, l, "tcp", l.backend())
}

func startHAProxyRelay(p *process, l launch) (string, error) {
	inner, err := innerRelay(p, l)
	if err != nil {
		return "", err
	}
	return l.url("ws", "/"), haproxy(p, l, "http", inner)
}

// innerRelay starts the relay behind another proxy and returns its address.
func innerRelay(p *process, l launch) (string, error) {
	var err error
	if l.port, err = freePort(); err != nil {
		return "", err
	}
	_, err = startSelf("relay")(p, l)
	return l.listen(), err
}

func haproxy(p *process, l launch, mode, to string) error {
	conf, err := l.file("haproxy.cfg", fmt.Sprintf(`
global
  maxconn 9700
defaults
  mode %s
  maxconn 9700
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend f
  bind %s backlog 4096
  default_backend b
backend b
  server s %s
`, mode, l.listen(), to))
	if err != nil {
		return err
	}
	return p.run(l.scratch, sbin("haproxy"), "-db", "-f", conf)
}

func startNginxStream(p *process, l launch) (string, error) {
	return l.url("tcp", ""), nginx(p, l, fmt.Sprintf(`
stream { server { listen %s backlog=4096; proxy_pass %s; tcp_nodelay on; proxy_timeout 1h; } }`, l.listen(), l.backend()))
}

func startNginxRelay(p *process, l launch) (string, error) {
	inner, err := innerRelay(p, l)
	if err != nil {
		return "", err
	}
	return l.url("ws", "/"), nginx(p, l, fmt.Sprintf(`
http { access_log off; server { listen %s backlog=4096; location / {
  proxy_pass http://%s; proxy_http_version 1.1; proxy_read_timeout 1h;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $host;
} } }`, l.listen(), inner))
}

func nginx(p *process, l launch, body string) error {
	conf, err := l.file("nginx.conf", fmt.Sprintf(`daemon off; user root; worker_processes auto; pid %s/%d.pid; error_log /dev/null crit;
include /etc/nginx/modules-enabled/*-mod-stream.conf;
events { worker_connections 19000; }
%s
`, l.scratch, l.port, body))
	if err != nil {
		return err
	}
	return p.run(l.scratch, sbin("nginx"), "-p", "/usr/share/nginx", "-c", conf)
}

// sbin finds a daemon that may lie outside of everybody's PATH.
func sbin(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}
