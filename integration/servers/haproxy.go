package servers

import (
	"fmt"
	"testing"
)

// HAProxy starts a balancer that sends everything below path to the proxy and the rest
// to the web server; both are HOST:PORT.
func HAProxy(t testing.TB, path, proxy, web string) *Server {
	return daemon{
		command: "haproxy",
		apt:     "haproxy",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{"-db", "-f", dir + "/haproxy.cfg"}, nil, map[string]string{
				"haproxy.cfg": fmt.Sprintf(`global
    maxconn 400
    log stdout format raw local0

defaults
    log global
    mode http
    option httplog
    option http-no-delay
    option abortonclose
    option redispatch
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout tunnel 1h
    timeout client-fin 5s

frontend web
    bind 127.0.0.1:%d
    http-request del-header X-Forwarded-For
    option forwardfor
    use_backend sockets if { path_beg %s/ }
    default_backend www

backend sockets
    server encke %s

backend www
    server web %s
`, port, path, proxy, web),
			}
		},
	}.start(t)
}
