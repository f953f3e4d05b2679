package hostile

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityPage: every test and every family of attacks that SECURITY.md names exists.
func TestSecurityPage(t *testing.T) {
	page, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	defined := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == ".tools"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, f := range function.FindAllSubmatch(source, -1) {
			defined[string(f[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 30 {
		t.Errorf("SECURITY.md names %d tests", len(named))
	}
	for _, name := range named {
		if !defined[name[1]] {
			t.Errorf("SECURITY.md names %s, which is no test", name[1])
		}
	}
	promised := make(map[string]bool)
	for _, list := range regexp.MustCompile(`\[([a-z0-9, ]+)\][ ,|]`).FindAllStringSubmatch(string(page), -1) {
		for family := range strings.SplitSeq(list[1], ", ") {
			promised[family] = true
			if families[family] == nil {
				t.Errorf("SECURITY.md names the family %q, which is none", family)
			}
		}
	}
	for family := range families {
		if !promised[family] {
			t.Errorf("SECURITY.md does not say what the family %q shows", family)
		}
	}
}
