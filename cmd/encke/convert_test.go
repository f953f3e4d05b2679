package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"encke/cmd/encke/app"
)

// What convert prints is a script for a shell, and its command is one that encke accepts.
func TestConvertedCommandsAreAccepted(t *testing.T) {
	scripts, err := filepath.Glob("convert/testdata/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts, %v", err)
	}
	for _, name := range scripts {
		// The shell reads it, with a command of this name that prints its words.
		out, err := exec.Command("sh", "-c", `encke() { printf '%s\0' "$@"; }; . "./$0"`, name).Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		args := []string{"check"}
		words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		for pair := range slices.Chunk(words, 2) {
			flag, value := strings.TrimPrefix(pair[0], "--"), pair[1]
			switch {
			case flag == "cert" || flag == "key": // files of the operator's
				continue
			case flag == "legacy" && !slices.Contains(app.Legacy(), value): // that this build has not
				continue
			case flag == "static": // a folder of the operator's
				name, _, _ := strings.Cut(value, "=")
				value = name + "=" + t.TempDir()
			}
			args = append(args, pair[0], value)
		}
		_, err = run(t, args...)
		if !slices.Contains(words, "--allow") {
			if err == nil || !strings.Contains(err.Error(), "no rule") {
				t.Errorf("%s: without a rule: %v", name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %q: %v", name, args, err)
		}
	}
}

func TestConvertCommand(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "[listen]\nhttp://:8000\n[access]\n* -> localhost:6667\n")
	lossy := file("lossy", "[listen]\nhttp://:8000\nstomp://:61613\n[access]\n* -> localhost:6667\n")
	for _, tt := range []struct {
		args         []string
		prints, says string
	}{
		{[]string{good}, "\nencke \\\n  --listen :8000 \\\n  --allow localhost:6667 \\\n  --legacy orbited07\n", ""},
		{[]string{"--from", "orbited08", good}, "--legacy orbited08\n", ""},
		{[]string{lossy}, "# line 3: NOT CONVERTED: [listen] stomp://:61613", "what is not converted: 1, named in the comments"},
		{[]string{"--from", "jabber", good}, "", "unknown generation"},
		{[]string{file("binary", "\xff")}, "", "not a text"},
		{[]string{filepath.Join(dir, "none")}, "", "no such file"},
		{nil, "", "one argument"},
		{[]string{good, lossy}, "", "one argument"},
	} {
		out, err := run(t, append([]string{"convert"}, tt.args...)...)
		if !strings.Contains(out, tt.prints) || tt.prints == "" && out != "" || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("convert %q: %q, %v, want %q and %q", tt.args, out, err, tt.prints, tt.says)
		}
	}
}
