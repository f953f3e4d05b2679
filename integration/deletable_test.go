package integration

import (
	"bytes"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wiring is the only file that names the older protocols.
const wiring = "cmd/encke/app/legacy.go"

// TestProtocolsAreDeletable: without any one of the older protocols, its folder and the
// lines that name it in wiring, what is left builds. Protocols that are made of it and tests
// that import it go with it.
func TestProtocolsAreDeletable(t *testing.T) {
	tree := readTree(t, "..")
	protocols := tree.protocols(t)
	if len(protocols) == 0 {
		t.Log("there is no protocol below legacy yet")
	}
	dir := t.TempDir()
	tree.write(t, dir, slices.Collect(maps.Keys(tree)))
	for _, protocol := range protocols {
		left := maps.Clone(tree)
		left.remove(protocol)
		for name := range tree {
			if _, ok := left[name]; !ok {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		left.write(t, dir, []string{wiring})
		for _, args := range [][]string{{"build", "-trimpath", "-o", os.DevNull, "./..."}, {"vet", "-trimpath", "./..."}} {
			cmd := exec.Command("go", args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("without %s: go %s: %v\n%s", protocol, args[0], err, out)
				break
			}
		}
		var gone []string
		for name := range tree {
			if _, ok := left[name]; !ok {
				gone = append(gone, name)
			}
		}
		tree.write(t, dir, append(gone, wiring))
	}
}

// sourceTree is the files of the project by their paths.
type sourceTree map[string][]byte

// readTree reads the files that git knows.
func readTree(t *testing.T, root string) sourceTree {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	tree := make(sourceTree)
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if strings.HasPrefix(name, "bench/") { // a module of its own
			continue
		}
		if content, err := os.ReadFile(filepath.Join(root, name)); err == nil { // or it was deleted
			tree[name] = content
		}
	}
	return tree
}

func (f sourceTree) write(t *testing.T, dir string, names []string) {
	t.Helper()
	for _, name := range names {
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, f[name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// protocols are the folders below legacy that wiring imports. Others may be there only as
// parts of those.
func (f sourceTree) protocols(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, imported := range imports(t, wiring, f[wiring]) {
		if name, ok := strings.CutPrefix(imported, module+"/legacy/"); ok {
			all = append(all, name)
		}
	}
	used := slices.Clone(all)
	for name, content := range f {
		if strings.HasPrefix(name, "legacy/") && strings.HasSuffix(name, ".go") {
			for _, imported := range imports(t, name, content) {
				used = append(used, strings.TrimPrefix(imported, module+"/legacy/"))
			}
		}
	}
	for name := range f {
		if rest, ok := strings.CutPrefix(path.Dir(name), "legacy/"); ok && strings.HasSuffix(name, ".go") && !slices.Contains(used, rest) {
			t.Errorf("%s belongs to no protocol that %s imports", name, wiring)
		}
	}
	return all
}

// remove deletes a protocol, and what is made of it.
func (f sourceTree) remove(protocol string) {
	folder := "legacy/" + protocol
	for name := range f {
		if within(path.Dir(name), folder) {
			delete(f, name)
		}
	}
	own := regexp.MustCompile(`"` + module + "/" + folder + `["/]|\b` + path.Base(protocol) + `\.`)
	lines := bytes.SplitAfter(f[wiring], []byte("\n"))
	f[wiring] = bytes.Join(slices.DeleteFunc(lines, own.Match), nil)
	quoted := []byte(`"` + module + "/" + folder + `"`)
	for name, content := range f {
		if !strings.HasSuffix(name, ".go") || !bytes.Contains(content, quoted) {
			continue
		}
		if strings.HasSuffix(name, "_test.go") {
			delete(f, name)
		} else if other, ok := strings.CutPrefix(path.Dir(name), "legacy/"); ok {
			f.remove(other)
		}
	}
}

// imports are the packages that a file imports.
func imports(t *testing.T, name string, content []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, i := range file.Imports {
		all = append(all, strings.Trim(i.Path.Value, `"`))
	}
	return all
}
