package convert

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "rewrite the scripts that are wanted")

// Each configuration in testdata becomes exactly the script beside it. The first line of one
// may say its generation.
func TestConvert(t *testing.T) {
	files, err := filepath.Glob("testdata/*.cfg")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d configurations, %v", len(files), err)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		generation := ""
		if first, _, _ := strings.Cut(string(file), "\n"); strings.HasPrefix(first, "# generation: ") {
			generation = strings.TrimPrefix(first, "# generation: ")
		}
		got, lost, err := Convert(file, generation)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := strings.Count(got, "NOT CONVERTED: "); n != lost {
			t.Errorf("%s: %d things are named, %d were not converted", name, n, lost)
		}
		golden := strings.TrimSuffix(name, ".cfg") + ".sh"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, err, got, want)
		}
	}
}

func TestNoConfiguration(t *testing.T) {
	for _, tt := range []struct{ file, generation, says string }{
		{strings.Repeat("#", MaxFile+1), "", "longer than"},
		{"[listen]\n\xff", "", "not a text"},
		{"[listen]\n\x00", "", "not a text"},
		{"[listen]\n", "orbited09", "unknown generation"},
	} {
		if text, _, err := Convert([]byte(tt.file), tt.generation); text != "" || err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.20q: %q, %v, want %q", tt.file, text, err, tt.says)
		}
	}
}

// No line is dropped, and nothing of a configuration gets out of the comments and words
// of the script.
func FuzzConvert(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.cfg")
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range Generations {
			f.Add(file, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, i uint8) {
		generation := Generations[int(i)%len(Generations)]
		c, err := convert(file, generation)
		if err != nil {
			return
		}
		n := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(string(file), "\ufeff"), "\n") {
			n++
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSpace(line)
			name, head := strings.CutPrefix(line, "[")
			name, closed := strings.CutSuffix(name, "]")
			_, known := sections[strings.TrimSpace(name)]
			if line != "" && !(head && closed && known && generation != "orbited2") && !c.seen[n] {
				t.Fatalf("line %d is dropped: %q", n, line)
			}
		}
		text := c.String()
		if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), unicode.IsControl) {
			t.Fatalf("a control character: %q", text)
		}
		comments, command, _ := strings.Cut("\n"+text, "\nencke")
		for line := range strings.SplitSeq(strings.TrimPrefix(comments, "\n"), "\n") {
			if line != "" && !strings.HasPrefix(line, "# ") {
				t.Fatalf("no comment: %q", line)
			}
		}
		for _, o := range c.options {
			var ok bool
			if command, ok = strings.CutPrefix(command, " \\\n  --"+o.name+" "+quote(o.value)); !ok {
				t.Fatalf("--%s %q is not where it should be: %q", o.name, o.value, command)
			}
		}
		if command != "\n" {
			t.Fatalf("behind the command: %q", command)
		}
	})
}
