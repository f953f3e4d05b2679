package hostile

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/tcpsocket"
)

// refusedRanges has an address of every range that names must not lead to.
var refusedRanges = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.0.0.2", "127.255.255.254",
	"169.254.169.254", "169.254.170.2", "169.254.0.1", "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
	"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
	"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1",
	"fc00::1", "fd00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "8000::1", "100::1",
}

// TestNamesLeadNowhere: an allowed name that resolves to a refused address is refused,
// alone, among good addresses, before them and behind them, and by way of another name.
func TestNamesLeadNowhere(t *testing.T) {
	names := newNameServer(t)
	canary := newCanary(t)
	port := strconv.Itoa(canary.port)
	// 127.0.0.77 is a good address: a rule names it. What reaches it touches the canary.
	addr := start(t, app.Config{Allow: []string{"*.names.test:" + port, "127.0.0.77:" + port}}).Addr().String()
	var p *page
	for i, bad := range refusedRanges {
		p = visit(t, addr, "http://"+addr)
		for j, list := range [][]string{
			{bad}, {bad, bad}, {"127.0.0.77", bad}, {bad, "127.0.0.77"}, {"127.0.0.77", "127.0.0.77", bad}, {"localhost.", bad}, {"a.b.c.", "d.e.f.", bad},
		} {
			name := fmt.Sprintf("n%d-%d.names.test", i, j)
			names.Set(name, list)
			if text := p.refused(uint64(j+1), name, uint64(canary.port), cause.Denied); text != "this target is not allowed" {
				t.Errorf("%v: the page is told %q", list, text)
			}
			if a, aaaa := names.Count(name); a != 1 || aaaa != 1 {
				t.Errorf("%v: the name was looked up %d and %d times", list, a, aaaa)
			}
		}
		p.leave()
	}
	canary.check(t)
	t.Logf("%d names", 7*len(refusedRanges))
}

// TestRebinding: the name's first answer may be dialled and nobody is there; its second
// is the canary. It is not asked for, and when the page asks again it is refused.
func TestRebinding(t *testing.T) {
	names := newNameServer(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0") // only there
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	touched := make(chan net.Addr, 10)
	go func() { // until ln is closed
		for {
			c, err := ln.Accept()
			if err != nil {
				close(touched)
				return
			}
			touched <- c.RemoteAddr()
			c.Close()
		}
	}()
	rules := []string{"rebind.test:" + strconv.Itoa(port), "127.0.0.77:" + strconv.Itoa(port)}
	addr := start(t, app.Config{Allow: rules}).Addr().String()
	p := visit(t, addr, "http://"+addr)
	names.Set("rebind.test", []string{"127.0.0.77"}, []string{"127.0.0.1"})
	p.refused(1, "rebind.test", uint64(port), cause.Refused)
	if a, aaaa := names.Count("rebind.test"); a != 1 || aaaa != 1 {
		t.Errorf("one OPEN looked the name up %d and %d times", a, aaaa)
	}
	p.refused(2, "rebind.test", uint64(port), cause.Denied)
	p.refused(3, "rebind.test.", uint64(port), cause.Denied)
	p.refused(4, "REBIND.test", uint64(port), cause.Denied)
	ln.Close()
	for from := range touched {
		t.Errorf("the second answer was dialled, from %v", from)
	}
}

// TestOwnAddresses: whatever the rules say, pages do not reach the proxy through itself.
func TestOwnAddresses(t *testing.T) {
	names := newNameServer(t)
	for name, listen := range map[string]string{"on the loopback address": "127.0.0.1:", "on every address": ":"} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", listen+"0")
			if err != nil {
				t.Fatal(err)
			}
			port := uint64(ln.Addr().(*net.TCPAddr).Port)
			ln.Close() // the rules have to name the port before the proxy listens there
			at := strconv.Itoa(int(port))
			a := start(t, app.Config{Listen: []string{listen + at}, AllowAnyHost: true, AllowPrivate: true, Allow: []string{
				"127.0.0.1:" + at, "[::1]:" + at, "0.0.0.0:" + at, "[::]:" + at, "localhost:" + at, "*.self.test:" + at, "127.0.0.0/8:" + at, "[::/96]:" + at, "[::127.0.0.1]:" + at, "[64:ff9b::7f00:1]:" + at, "*:" + at,
			}})
			addr := "127.0.0.1:" + at
			p := visit(t, addr, "http://"+addr)
			names.Set("a.self.test", []string{"127.0.0.1"})
			names.Set("b.self.test", []string{"::ffff:127.0.0.1"})
			before := a.Stats().Sessions.Opened
			for i, host := range []string{"127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "localhost", "LOCALHOST.", "a.self.test", "b.self.test", "::", "::127.0.0.1", "64:ff9b::7f00:1"} {
				p.refused(uint64(i+1), host, port, cause.Denied)
			}
			if n := a.Stats().Sessions.Opened - before; n > 0 {
				t.Errorf("%d sessions were opened", n)
			}
		})
	}
}

// neverWeb are the ports that browsers do not speak to (Fetch, "port blocking") but for
// those of IRC.
var neverWeb = []uint64{
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143,
	161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 10080,
}

// TestNeverWebPorts: no wide rule opens a port whose service takes orders from anyone.
func TestNeverWebPorts(t *testing.T) {
	names := newNameServer(t)
	names.Set("allowed.test", []string{"127.0.0.77"})
	a := start(t, app.Config{AllowAnyHost: true, Allow: []string{"allowed.test:*", "allowed.test:1-65535", "*.test:*", "*:*", "127.0.0.0/8:*", "127.0.0.77:1-11000", "127.0.0.78:25"}})
	addr := a.Addr().String()
	var p *page
	for i, port := range neverWeb {
		if i%openings == 0 {
			p = visit(t, addr, "http://"+addr)
		}
		p.refused(uint64(2*i+1), "allowed.test", port, cause.Denied)
		p.refused(uint64(2*i+2), "127.0.0.77", port, cause.Denied)
	}
	if n := names.Total(); n > 0 {
		t.Errorf("a name server was asked %d times", n)
	}
	p.refused(1000, "127.0.0.78", 25, cause.Refused) // the one port that a rule names
	for i, port := range []uint64{0, 65536, 1<<32 + 80, 1<<53 - 1} {
		p.refused(uint64(2000+i), "allowed.test", port, cause.BadTarget)
	}
}

// TestEnvironmentProxies: variables that programs take a proxy from change nothing. Some
// libraries read them once in the life of a process, so the proxy runs in one of its own.
func TestEnvironmentProxies(t *testing.T) {
	const inside = "ENCKE_TEST_ENVIRONMENT_PROXIES"
	if os.Getenv(inside) == "" {
		canary := newCanary(t)
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEnvironmentProxies$", "-test.v")
		self.Env = append(os.Environ(), inside+"=1", "NO_PROXY=", "no_proxy=")
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SOCKS_PROXY", "FTP_PROXY"} {
			self.Env = append(self.Env, name+"=socks5://"+canary.addr, strings.ToLower(name)+"=socks5://"+canary.addr)
		}
		if out, err := self.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestEnvironmentProxies") {
			t.Errorf("%v\n%s", err, out)
		}
		canary.check(t)
		return
	}
	echo := backend.Echo(t)
	addr := start(t, app.Config{Allow: []string{echo.Addr()}}).Addr().String()
	p := visit(t, addr, "http://"+addr)
	if f := p.open(1, echo.Host(), uint64(echo.Port())); f.Type != tcpsocket.Opened || string(f.Remote) != echo.Addr() {
		t.Errorf("the backend was not reached: %+v", f)
	}
	p.leave()
}

// TestNoPortScanner: what is not allowed looks the same whether it exists or not.
func TestNoPortScanner(t *testing.T) {
	names := newNameServer(t)
	names.Set("exists.test", []string{"127.0.0.1"})
	names.Set("inside.allowed.test", []string{"10.0.0.1"})
	canary := newCanary(t)
	closed := uint64(backend.Refuse(t))
	addr := start(t, app.Config{Allow: []string{"*.allowed.test:6667"}}).Addr().String()
	p := visit(t, addr, "http://"+addr)
	var first string
	for i, target := range []struct {
		name, host string
		port       uint64
	}{
		{"an open port", "127.0.0.1", uint64(canary.port)}, {"a closed port", "127.0.0.1", closed}, {"a name that exists", "exists.test", uint64(canary.port)},
		{"a name that does not", "nowhere.test", uint64(canary.port)}, {"an address of the network", "10.0.0.1", 80}, {"the metadata address", "169.254.169.254", 80},
		{"an allowed name at another port", "a.allowed.test", 80}, {"an allowed name that leads inside", "inside.allowed.test", 6667},
	} {
		var text string
		lasted := took(func() { text = p.refused(uint64(i+1), target.host, target.port, cause.Denied) })
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s: %q, others %q", target.name, text, first)
		}
		t.Logf("%-35s %v", target.name, lasted)
	}
}
