// Package convert reads the configuration of an Orbited server and says how to run encke
// in its place. It only reads: the Python of an Orbited2 configuration is not run, and no
// file that a configuration names is opened.
//
//	text, lost, err := convert.Convert(file, "")
//
// The text is a shell script of one command, below comments that say what has another
// meaning now and, by line, what is not converted. Every line of the configuration is an
// option, a comment in the text, or a section's head.
package convert

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Generations are the kinds of configuration, named as the protocols of --legacy.
var Generations = []string{"orbited07", "orbited08", "orbited2"}

// MaxFile is more than any configuration has, in bytes.
const MaxFile = 1 << 20

// Convert converts a configuration of this generation; with "" an Orbited2 one is told from
// the others by its form, and those are taken for 0.7. lost is how many things could not be
// converted; what is printed is right without them.
func Convert(file []byte, generation string) (text string, lost int, err error) {
	c, err := convert(file, generation)
	if err != nil {
		return "", 0, err
	}
	return c.String(), c.lost, nil
}

func convert(file []byte, generation string) (*command, error) {
	switch {
	case len(file) > MaxFile:
		return nil, fmt.Errorf("longer than %d bytes, which no configuration is", MaxFile)
	case !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0:
		return nil, errors.New("not a text in UTF-8")
	}
	text := strings.ReplaceAll(strings.TrimPrefix(string(file), "\ufeff"), "\r\n", "\n")
	c := &command{seen: make(map[int]bool)}
	switch generation {
	case "":
		if python(text) {
			return convert(file, "orbited2")
		}
		return convert(file, "orbited07")
	case "orbited07", "orbited08":
		c.readINI(text, generation)
	case "orbited2":
		c.readPython(text)
	default:
		return nil, fmt.Errorf("unknown generation %q; they are %s", generation, strings.Join(Generations, ", "))
	}
	c.finish()
	return c, nil
}

// python reports whether no line is the head of a section that Orbited 0.7 had.
func python(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		name, head := strings.CutPrefix(strings.TrimSpace(line), "[")
		name, closed := strings.CutSuffix(name, "]")
		if _, known := sections[name]; known && head && closed {
			return false
		}
	}
	return strings.Contains(text, "(")
}
