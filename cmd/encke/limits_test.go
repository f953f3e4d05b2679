package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// docs/limits.md has a row for every option that is a number or a time, with its
// default, and no row for what is no option.
func TestLimitsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string) // defaults by name
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(page), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("--%s has two rows", m[1])
		}
		rows[m[1]] = m[2]
	}
	for _, f := range serveFlags() {
		name := f.Names()[0]
		var value string
		switch f := f.(type) {
		case *cli.IntFlag:
			value = f.GetDefaultText()
		case *cli.Int64Flag:
			value = f.GetDefaultText()
		case *cli.DurationFlag:
			value = f.GetDefaultText()
		case *cli.StringFlag, *cli.StringSliceFlag, *cli.BoolFlag:
			continue
		default:
			t.Errorf("--%s is of a kind that this test does not know: %T", name, f)
		}
		row, ok := rows[name]
		delete(rows, name)
		if !ok || strings.ReplaceAll(row, "`", "") != value {
			t.Errorf("--%s, default %q, has the row %q, %t", name, value, row, ok)
		}
	}
	for name := range rows {
		t.Errorf("there is no --%s", name)
	}
}

// Operators find the page.
func TestLimitsPageIsLinked(t *testing.T) {
	for _, name := range []string{"../../README.md", "../../docs/balancers.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "limits.md") {
			t.Errorf("%s does not lead to the page", name)
		}
	}
}
