package cspdraft_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/legacy"
	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
	"encke/legacy/orbited08"
	"encke/whitelist"
)

// configured is the protocol with a target.
func configured(t *testing.T, target string) func(*legacy.Proxy) legacy.Protocol {
	t.Helper()
	start, err := cspdraft.Kind().Configure(legacy.Settings{Values: map[string][]string{"csp-target": {target}}})
	if err != nil {
		t.Fatal(err)
	}
	return start
}

// Sessions are connected to the target of the operator, and nothing is between the two.
func TestFixedTarget(t *testing.T) {
	for _, c := range []struct {
		name, target string
		steps        []legacytest.Step
	}{
		{"the backend has the first word", "b.test:7", []legacytest.Step{
			{Say: "welcome", Want: []string{"welcome"}},
			{Send: []string{"12:34"}, Hear: "12:34"},
			{Say: "bye", Close: true, Want: []string{"bye", "(end)"}},
		}},
		{"the client has it", "b.test:7", []legacytest.Step{
			{Send: []string{"other.test:7\n"}, Hear: "other.test:7\n"},
			{Say: "\x00\xff", Want: []string{"\x00\xff"}},
		}},
		{"what is said while it connects", "later.test:7", []legacytest.Step{
			{Send: []string{"hello"}, Want: []string{}},
			{Wait: 2 * time.Second, Hear: "hello"},
		}},
		{"nobody listens", "refused.test:7", []legacytest.Step{{Want: []string{"(end)"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := legacytest.New(t, configured(t, c.target))
				legacytest.Play(t, r, r.Client(t), c.steps)
			})
		})
	}
}

// With another framing beside it, the first bytes of a session tell.
func TestFixedTargetBesideFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, configured(t, "b.test:7"), orbited08.New)
		for _, steps := range [][]legacytest.Step{
			{{Send: []string{"14:1,0b.test,9999"}, Want: []string{"3:1,0"}}, {Send: []string{"4:1,2x"}, Hear: "x"}},
			{{Send: []string{"hello"}, Hear: "hello"}, {Say: "yes", Want: []string{"yes"}}},
		} {
			legacytest.Play(t, r, r.Client(t), steps)
		}
	})
}

func TestBadFixedTarget(t *testing.T) {
	rules, err := whitelist.New("a.example:80")
	if err != nil {
		t.Fatal(err)
	}
	for target, says := range map[string]string{
		"a.example":    "--csp-target a.example: ",
		"b.example:80": "--csp-target b.example:80: no rule allows it; --allow b.example:80 would",
	} {
		_, err := cspdraft.Kind().Configure(legacy.Settings{Values: map[string][]string{"csp-target": {target}}, Rules: rules})
		if err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s: %v, want %q", target, err, says)
		}
	}
}
