package integration

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	numbers "math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"encke/client"
	"encke/integration/backend"
	"encke/integration/proxy"
)

// TestUser: started as root, with a key that only root can read and a port that only root
// can have, the proxy becomes somebody else in all its threads, and serves.
func TestUser(t *testing.T) {
	needRoot(t)
	b := backend.Echo(t)
	cert, key := certificate(t)
	p := encke(t).Start(t, proxy.Options{
		Listen: lowPort(t), Allow: []string{b.Addr()},
		Args: []string{"--user", "nobody", "--group", "daemon", "--cert", cert, "--key", key},
	})
	d := &client.Dialer{Proxy: "https://" + p.Addr, TLS: &tls.Config{InsecureSkipVerify: true}}
	defer d.Close()
	conn, err := d.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		for field, want := range map[string]string{
			"Uid": "65534 65534 65534 65534", "Gid": "1 1 1 1", "Groups": "",
			"CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapAmb": "0000000000000000",
		} {
			_, line, _ := strings.Cut(string(status), "\n"+field+":")
			line, _, _ = strings.Cut(line, "\n")
			if got := strings.Join(strings.Fields(line), " "); got != want {
				t.Errorf("%s: %s is %q, want %q", thread, field, got, want)
			}
		}
	}
	if strings.Contains(p.Log(), "running as root") {
		t.Error("it says that it stays root")
	}
	if stays := encke(t).Start(t, proxy.Options{Allow: []string{b.Addr()}}); !strings.Contains(stays.Log(), "running as root") {
		t.Error("it does not say that it stays root")
	}
}

// TestUserRefusals: who is not root becomes nobody else, and the log file is opened by
// whom the proxy has become.
func TestUserRefusals(t *testing.T) {
	needRoot(t)
	binary, err := os.Open(string(encke(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	secret := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ordinary := &syscall.Credential{Uid: 65534, Gid: 65534}
	for _, tt := range []struct {
		name string
		as   *syscall.Credential
		args []string
		says string
	}{
		{"not root", ordinary, []string{"--user", "daemon"}, "only root can become somebody else"},
		{"not root, himself", ordinary, []string{"--user", "nobody"}, "only root can become somebody else"},
		{"unknown", nil, []string{"--user", "no-such-user"}, "there is no user"},
		{"root's log", nil, []string{"--user", "nobody", "--log-file", secret}, "permission denied"},
	} {
		cmd := exec.Command("/proc/self/fd/3", append([]string{"--allow", "a.example:80", "--listen", "127.0.0.1:0"}, tt.args...)...)
		cmd.ExtraFiles = []*os.File{binary} // its folder is root's alone
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: tt.as, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), tt.says) {
			t.Errorf("%s: %v, %q, want %q", tt.name, err, out, tt.says)
		}
	}
}

// TestLogFile: lines go to the file, and on SIGHUP to the one that has its name by then.
func TestLogFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	// A FIFO is opened when both ends are, so the test need not wait in any other way.
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(string(encke(t)), "--allow", "a.example:80", "--listen", "127.0.0.1:0", "--log-file", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { // until the proxy has ended; nobody need wait for it to open a file then
		ended <- cmd.Wait()
		if file, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			file.Close()
		}
	}()
	first, err := os.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	lines := bufio.NewReader(first)
	for line := ""; !strings.Contains(line, "listening"); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("the file ends with %q, %v", line, err)
		}
	}
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	second, err := os.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("the old file got %q, %v", rest, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(second)
	if err != nil || !strings.Contains(string(rest), "stopped") {
		t.Errorf("the new file got %q, %v", rest, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root can show this")
	}
}

// lowPort is an address that only root can listen on.
func lowPort(t *testing.T) string {
	t.Helper()
	for port := 1023; port > 512; port-- {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	t.Fatal("no low port is free")
	return ""
}

// certificate makes files that only root can read, of a certificate for 127.0.0.1.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: numbers.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
