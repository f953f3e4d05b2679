package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"encke/cmd/encke/app"
)

// docs/migrate.md has a part for each older protocol, and names options that there are. The
// parts of protocols that this build has not are not looked at.
func TestMigrationIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/migrate.md")
	if err != nil {
		t.Fatal(err)
	}
	options := []string{"help", "from", "legacy", "static"} // static comes with a protocol
	for _, f := range serveFlags() {
		options = append(options, f.Names()[0])
	}
	heading := regexp.MustCompile("\\(`--legacy ([a-z0-9]+)`\\)$")
	var has []string
	for part := range strings.SplitSeq(string(page), "\n## ") {
		first, rest, _ := strings.Cut(part, "\n")
		m := heading.FindStringSubmatch(first)
		if m == nil || !slices.Contains(app.Legacy(), m[1]) {
			continue
		}
		has = append(has, m[1])
		for _, option := range regexp.MustCompile("`--([a-z-]+)|encke [^`]*?--([a-z-]+)").FindAllStringSubmatch(rest, -1) {
			if name := option[1] + option[2]; !slices.Contains(options, name) {
				t.Errorf("%s: there is no --%s", m[1], name)
			}
		}
		if steps := strings.Count(rest, "\n6. "); steps > 0 {
			t.Errorf("%s: more than five steps", m[1])
		}
	}
	slices.Sort(has)
	if !slices.Equal(has, app.Legacy()) {
		t.Errorf("the page has parts for %v, there are %v", has, app.Legacy())
	}
	if readme, err := os.ReadFile("../../README.md"); err != nil || !strings.Contains(string(readme), "(docs/migrate.md)") {
		t.Errorf("README.md does not lead to it: %v", err)
	}
}
