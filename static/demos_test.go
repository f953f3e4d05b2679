package static_test

import (
	"errors"
	"io/fs"
	"testing"

	"encke/static"
)

func TestDemosHoldsPagesAndScripts(t *testing.T) {
	for _, name := range []string{
		"index.html", "chat.html", "console.html", "irc.html", "encke.css", "comet.svg",
		"index.js", "chat.js", "console.js", "irc.js",
	} {
		if b, err := fs.ReadFile(static.Demos(), name); err != nil || len(b) == 0 {
			t.Errorf("%s: got %d bytes and %v, want some", name, len(b), err)
		}
	}
}

func TestDemosHoldsNothingElse(t *testing.T) {
	for _, name := range []string{".", "", "..", "../demos.go", "pages", "demo/index.js", "/index.html", "package.json"} {
		if _, err := fs.ReadFile(static.Demos(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v, want it not to exist", name, err)
		}
	}
}
