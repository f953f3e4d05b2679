package hostile

import (
	"strings"
	"testing"
)

func replaceOnce(s, old, new string) string { return strings.Replace(s, old, new, 1) }

// wrongFiles ask for files that are none of the client's: ways out of a folder, files
// that servers forget to hide, and paths that redirect.
func wrongFiles(_ *testing.T, r *rig) (all []attack) {
	paths := []string{
		"/", "/index.html", "/dist", "/dist/", "/dist/TCPSocket.js", "/static/", "/static/TCPSocket.js", "/src/", "/build/main.go",
		"/.git/config", "/.git/HEAD", "/.env", "/.htaccess", "/.npmrc", "/.gitignore", "/.well-known/security.txt", "/.DS_Store", "/.", "/..", "/...",
		"/../TCPSocket.js", "/../../../../etc/passwd", "/../etc/passwd", "/./TCPSocket.js", "//TCPSocket.js", "/TCPSocket.js/", "/TCPSocket.js/..", "/TCPSocket.js//", "/x/../TCPSocket.js",
		"/%2e%2e/etc/passwd", "/%2e%2e%2fetc%2fpasswd", "/..%2f..%2fetc/passwd", "/%2e/TCPSocket.js", "/..%5c..%5cetc%5cpasswd", `/..\..\etc\passwd`, "/%5c..%5c", "/%2f", "/%2f%2feViL.test",
		"/..%252f..%252fetc/passwd", "/%252e%252e/", "/..%c0%af..%c0%afetc/passwd", "/%c0%ae%c0%ae/", "/..%ef%bc%8fetc/passwd",
		"/TCPSocket.js%00", "/TCPSocket.js%00.html", "/%00", "/TCPSocket.js%20", "/TCPSocket.js.", "/TCPSocket.js;eViL", "/TCPSocket.js::$DATA", "/TCPSocket.js~", "/TCPSocket.js.bak", "/TCPSocket.JS", "/tcpsocket.js",
		"//eViL.test", "//eViL.test/..", "//eViL.test/%2e%2e", "/\\eViL.test", "///eViL.test//", "/eViL//", "/eViL/../", "/eViL/./", "/session/../eViL/..", "/;//eViL.test", "/https://eViL.test/", "/http:%2f%2feViL.test",
		"/proc/self/environ", "/proc/self/maps", "/dev/null", "/etc/passwd", "/debug/pprof/", "/debug/vars", "/metrics", "/server-status", "/admin", "/reflect", "/static", "/demo/", "/api/targets",
		"/<script>eViL</script>", "/%3Cscript%3EeViL%3C/script%3E", "/%22onload=eViL", "/TCPSocket.d.ts/eViL", "/TCPSocket.js.map.map", "/TCPSocket", "/*", "/~root/", "/aux", "/con",
		"/session", "/session%2fsend", "/SESSION/send",
	}
	for _, path := range paths {
		for _, query := range []string{"", "?eViL", "?/../<script>eViL</script>"} {
			for _, method := range []string{"GET", "HEAD"} {
				q := request{method: method, target: path + query, fields: []string{"Host: " + r.addr, "Connection: close"}}
				want := notFound
				if method == "HEAD" {
					want.body = ""
				}
				all = append(all, attack{name: method + " " + path + query, request: q, want: want})
			}
		}
	}
	for _, path := range []string{"/session/", "/session//send", "/session/./send", "/session/../session/send", "/session/send/", "/session/send/..", "/session/nothing", "/session/.", "/session/websocket/", "/session/%73end/", "/session/send%00", "/session/send%2f", "/session/SEND", "/session/info", "/session/reflect", "/session/handshake", "/session/eViL"} {
		q := request{method: "POST", target: path, fields: []string{"Host: " + r.addr, "Origin: " + listed, "Connection: close"}, body: fresh()}
		want := noTransport
		if strings.Contains(path, "..") || strings.Contains(path, "/.") || strings.Contains(path, "//") {
			want = notFound
		}
		all = append(all, attack{name: "POST " + path, request: q, want: want})
	}
	return all
}
