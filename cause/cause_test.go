package cause_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"encke/cause"
)

func TestNames(t *testing.T) {
	seen := make(map[string]bool)
	for n := range uint64(cause.Count) {
		name := cause.FromWire(n).String()
		if name == "" || seen[name] || strings.ContainsAny(name, " _") || strings.ToLower(name) != name {
			t.Errorf("code %d is called %q", n, name)
		}
		seen[name] = true
	}
	for _, n := range []uint64{uint64(cause.Count), 255, 256, 1 << 60} {
		if c := cause.FromWire(n); c != cause.ProtocolError {
			t.Errorf("number %d became %v, want protocol-error", n, c)
		}
	}
	if s := cause.Code(200).String(); s != "cause-200" {
		t.Errorf("an unknown code is called %q", s)
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("dial: %w", cause.Refused.With("nobody listens there"))
	if !errors.Is(err, cause.Refused.Err()) || errors.Is(err, cause.Denied.Err()) {
		t.Error("errors.Is does not compare codes")
	}
	if got := err.Error(); got != "dial: refused: nobody listens there" {
		t.Error(got)
	}
	if got := cause.Closed.Err().Error(); got != "closed" {
		t.Error(got)
	}
}
