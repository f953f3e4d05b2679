package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"encke/integration/backend"
	"encke/integration/proxy"
)

// slowClients: clients that send their heads or bodies byte by byte, or read their answers
// so, as slowhttptest does. They are shed, and others go on being answered.
func slowClients(f *fault) {
	command, err := exec.LookPath("slowhttptest")
	if err != nil {
		f.skip("there is no command slowhttptest: run integration/install.sh")
	}
	f.loud = true // a line for each client that is shed
	f.start(proxy.Options{})
	e := f.echo(f.peer(), backend.Echo(f.T), 5)
	base := "http://" + f.proxy.Addr
	seconds, conns := either("60", "12"), either("300", "60")
	// It knows no option for Origin, without which a body is not even read.
	for _, attack := range []struct {
		name string
		args []string
	}{
		{"heads", []string{"-H", "-u", base + "/session/fetch-streaming"}},
		{"bodies", []string{"-B", "-s", "8192", "-f", "text/plain\r\nOrigin: " + base, "-u", base + "/session/send"}},
		{"answers", []string{"-X", "-k", "3", "-w", "10", "-y", "20", "-n", "5", "-z", "32", "-u", base + "/TCPSocket.js"}},
	} {
		dir := f.TempDir()
		args := append([]string{"-c", conns, "-r", conns, "-i", "1", "-x", "20", "-p", "3", "-l", seconds, "-g", "-o", filepath.Join(dir, "slow")}, attack.args...)
		cmd := exec.CommandContext(f.Context(), command, args...)
		out := make(chan error, 1)
		var text []byte
		go func() { // until slowhttptest has ended
			var err error
			text, err = cmd.CombinedOutput()
			out <- err
		}()
		for ended := false; !ended; {
			if err := e.say(small); err != nil {
				f.Fatalf("I5: %s: %v", attack.name, err)
			}
			select {
			case err := <-out:
				ended = true
				f.Logf("%s: %v: %s", attack.name, err, lastLine(string(text)))
			default:
			}
		}
		table, err := os.ReadFile(filepath.Join(dir, "slow.csv"))
		if err != nil {
			f.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(table)), "\n")
		f.Logf("%s: %s; at the end %s", attack.name, lines[0], lines[len(lines)-1])
	}
	if err := e.end(); err != nil {
		f.Error(err)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
