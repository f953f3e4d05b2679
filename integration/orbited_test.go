package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/proxy"
	"encke/integration/servers"
)

// orbitedPage is a page as there were many: nothing in it knows Encke.
const orbitedPage = `<!DOCTYPE html>
<title>a page for Orbited</title>
<script src="%s/static/Orbited.js"></script>
<script>
TCPSocket = Orbited.TCPSocket;
if (%t) document.domain = document.domain;

// Opens a socket and returns all that happens to it; said gets the socket and what was read so far.
function run(port, binary, said) {
	return new Promise(function (resolve) {
		var read = "", conn = new TCPSocket();
		var opened = false;
		conn.onopen = function () { opened = conn.readyState === conn.READY_STATE_OPEN; said(conn, read); };
		conn.onread = function (data) { read += data; said(conn, read); };
		conn.onclose = function (code) { resolve({Opened: opened, Read: read, Code: code}); };
		conn.open("127.0.0.1", port, binary);
	});
}
</script>
`

type orbitedRun struct {
	Opened bool
	Read   string
	Code   int
}

// TestOrbited07 runs a page of Orbited 0.7, served by the proxy from a folder of the operator,
// and from another port. ORBITED07 names a folder with the original client files; then it
// runs with those too, and with the original script and our files for frames.
func TestOrbited07(t *testing.T) {
	clients := map[string]string{"ours": ""}
	if dir := os.Getenv("ORBITED07"); dir != "" {
		clients["original"] = dir
		script, err := os.ReadFile(filepath.Join(dir, "Orbited.js"))
		if err != nil {
			t.Fatal(err)
		}
		clients["original script"] = t.TempDir()
		if err := os.WriteFile(filepath.Join(clients["original script"], "Orbited.js"), script, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, dir := range clients {
		for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
			t.Run(name+"/"+string(kind), func(t *testing.T) { orbited07(t, kind, dir) })
		}
	}
}

func orbited07(t *testing.T, kind browser.Kind, original string) {
	echo, irc := backend.Echo(t), servers.Ngircd(t)
	refused := backend.Refuse(t)
	app := t.TempDir()
	var base string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Origin-Agent-Cluster", "?0") // document.domain is without effect else
		fmt.Fprintf(w, orbitedPage, base, true)
	}))
	t.Cleanup(other.Close)
	args := []string{"--legacy", "orbited07", "--static", "app=" + app}
	if original != "" {
		args = append(args, "--static", "static="+original)
	}
	p := encke(t).Start(t, proxy.Options{
		Allow:   []string{echo.Addr(), irc.Addr(), hostPort(refused)},
		Origins: []string{other.URL}, Args: args,
	})
	base = "http://" + p.Addr
	if err := os.WriteFile(filepath.Join(app, "page.html"), fmt.Appendf(nil, orbitedPage, "", false), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct{ name, url string }{{"same origin", base + "/app/page.html"}, {"another port", other.URL}} {
		t.Run(at.name, func(t *testing.T) {
			page := launched(t, kind).Page(t)
			page.Goto(at.url)
			expect := func(what string, want orbitedRun, fn string, args ...any) {
				t.Helper()
				var got orbitedRun
				page.Eval(&got, fn, args...)
				if got != want {
					t.Errorf("%s: got %.300v, want %.300v", what, got, want)
				}
			}
			expect("text", orbitedRun{true, "grüße €\nund Tschüß\n", 103}, `port => run(port, false, (conn, read) => {
				if (read === "") conn.send("grüße €\n");
				else if (read === "grüße €\n") conn.send("und Tschüß\n");
				else if (read.endsWith("Tschüß\n")) conn.close();
			})`, echo.Port())
			expect("bytes", orbitedRun{true, "same", 103}, `async port => {
				let all = "";
				for (let i = 0; i < 256; i++) all += String.fromCharCode(i);
				while (all.length < 1 << 17) all += all;
				const got = await run(port, true, (conn, read) => {
					if (read === "") for (let at = 0; at < all.length; at += 10000) conn.send(all.slice(at, at + 10000));
					if (read.length >= all.length) conn.close();
				});
				got.Read = got.Read === all ? "same" : "other " + got.Read.length;
				return got;
			}`, echo.Port())
			expect("not allowed", orbitedRun{false, "", 106}, `port => run(port, false, () => {})`, 1)
			expect("refused", orbitedRun{false, "", 108}, `port => run(port, false, () => {})`, refused)
			expect("reset", orbitedRun{true, "", 103}, `port => run(port, false, conn => conn.reset())`, echo.Port())
			expect("IRC until the server closes", orbitedRun{true, "welcomed", 201}, `async port => {
				let step = 0;
				const got = await run(port, false, (conn, read) => {
					if (step === 0) conn.send("NICK old\r\nUSER old 8 * :Old Page\r\n"), step = 1;
					else if (step === 1 && / 001 old :Welcome/.test(read)) conn.send("QUIT\r\n"), step = 2;
				});
				got.Read = step === 2 ? "welcomed" : got.Read;
				return got;
			}`, irc.Port)
			var globals []string
			page.Eval(&globals, `() => {
				const plain = document.createElement("iframe");
				document.body.append(plain);
				const ours = ["TCPSocket", "run"];
				const more = Object.getOwnPropertyNames(window).filter(n => !Object.getOwnPropertyNames(plain.contentWindow).includes(n) && !ours.includes(n) && !/^\d+$/.test(n));
				const changed = ["Date", "String", "Number", "Boolean", "Object", "Array", "Function"].filter(n =>
					String(Object.getOwnPropertyNames(window[n].prototype).sort()) !== String(Object.getOwnPropertyNames(plain.contentWindow[n].prototype).sort()));
				return more.concat(changed);
			}`)
			if original == "" && fmt.Sprint(globals) != "[Orbited]" {
				t.Errorf("the script sets or changes %v, want Orbited alone", globals)
			}
		})
	}
}
