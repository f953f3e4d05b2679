package servers

import (
	"fmt"
	"testing"
)

// Nginx starts a web server that passes everything below path to the proxy and the rest
// to the other web server; both are HOST:PORT. It holds answers and bodies back as long as
// it likes, unless the proxy asks it not to: that is how it comes.
func Nginx(t testing.TB, path, proxy, web string) *Server {
	return daemon{
		command: "nginx",
		apt:     "nginx-light",
		prepare: func(dir string, port int) (args, env []string, files map[string]string) {
			return []string{"-c", dir + "/nginx.conf", "-e", "stderr", "-g", "daemon off;"}, nil, map[string]string{
				"nginx.conf": fmt.Sprintf(`worker_processes 1;
pid %[1]s/nginx.pid;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
    upstream encke { server %[4]s; keepalive 16; }
    server {
        listen 127.0.0.1:%[2]d;
        location %[3]s/ {
            proxy_pass http://encke;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 60s;
        }
        location / { proxy_pass http://%[5]s; }
    }
}
`, dir, port, path, proxy, web),
			}
		},
	}.start(t)
}
