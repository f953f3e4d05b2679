package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows are the only imports there may be among our packages: each may import the ones
// in its row, and the packages below itself. A package that is not named has the row of
// the nearest one above it. Tests of a package are free to import others.
var arrows = map[string][]string{
	"cause":               {},
	"whitelist":           {},
	"static":              {},
	"buffer":              {},
	"quota":               {},
	"edge":                {"buffer", "quota", "rawconn"},
	"rawconn":             {},
	"csp":                 {"buffer", "cause"},
	"tcpsocket":           {"buffer", "cause", "rawconn", "whitelist"},
	"transports":          {"buffer", "cause", "csp", "quota", "rawconn"},
	"legacy":              {"buffer", "cause", "csp", "quota", "rawconn", "static", "tcpsocket", "transports", "whitelist"},
	"client":              {"cause", "csp", "tcpsocket", "whitelist"},
	"cmd/encke":           {"buffer", "cmd/encke/app", "cmd/encke/cgroup", "cmd/encke/convert", "cmd/encke/demo", "cmd/encke/logline", "cmd/encke/privilege", "client", "transports"},
	"cmd/encke/app":       {"*"},
	"cmd/encke/convert":   {"whitelist"},
	"cmd/encke/demo":      {"static"},
	"cmd/encke/cgroup":    {},
	"cmd/encke/logline":   {},
	"cmd/encke/privilege": {},
	"integration":         {"*"},
}

// strangers are packages that others, named by their key, must not even depend on.
var strangers = map[string][]string{
	"csp":       {"net/http", "encke/tcpsocket", "encke/transports"},
	"tcpsocket": {"net/http", "encke/csp", "encke/transports"},
	"whitelist": {"net/http"},
	"quota":     {"net/http"},
}

// testOnly are modules that the command must not contain, and the package testing.
var testOnly = []string{
	"testing",
	"github.com/evanw/esbuild",
	"github.com/google/go-cmp",
	"github.com/stretchr/testify",
	"go.uber.org/goleak",
	"golang.org/x/net/nettest",
	"pgregory.net/rapid",
	"encke/integration",
}

// listed is what `go list -json` says about a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

const module = "encke"

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, &stderr)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

// row returns the row of arrows for one of our packages, and its name.
func row(path string) (name string, allowed []string, ok bool) {
	for name = strings.TrimPrefix(path, module+"/"); name != ""; {
		if allowed, ok = arrows[name]; ok {
			return name, allowed, true
		}
		slash := strings.LastIndexByte(name, '/')
		if slash < 0 {
			break
		}
		name = name[:slash]
	}
	return "", nil, false
}

// within says whether path is the package or one below it.
func within(path, name string) bool { return path == name || strings.HasPrefix(path, name+"/") }

func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range goList(t, "./...") {
		name, allowed, ok := row(p.ImportPath)
		if !ok {
			t.Errorf("%s has no row in arrows: say what it may import", p.ImportPath)
			continue
		}
		seen[strings.TrimPrefix(p.ImportPath, module+"/")] = true
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			fine := within(to, name) || slices.ContainsFunc(allowed, func(a string) bool {
				return a == "*" && !within(to, "integration") || within(to, a)
			})
			if ours && !fine {
				t.Errorf("%s imports %s: it may import %v", p.ImportPath, imported, allowed)
			}
		}
	}
	for name := range arrows {
		if !seen[name] {
			t.Errorf("arrows has a row for %s, which is no package", name)
		}
	}
}

func TestStrangers(t *testing.T) {
	for name, forbidden := range strangers {
		for _, p := range goList(t, "./"+name+"/...") {
			for _, stranger := range forbidden {
				if slices.Contains(p.Deps, stranger) {
					t.Errorf("%s depends on %s", p.ImportPath, stranger)
				}
			}
		}
	}
}

func TestCommandHoldsNoTestCode(t *testing.T) {
	for _, p := range goList(t, "./cmd/encke") {
		for _, dep := range p.Deps {
			for _, name := range testOnly {
				if within(dep, name) {
					t.Errorf("the command contains %s", dep)
				}
			}
		}
	}
}
