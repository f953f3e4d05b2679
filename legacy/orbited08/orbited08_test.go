package orbited08_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
	"encke/legacy/orbited08"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []legacytest.Step
	}{
		{"open, data, data", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}},
			{Want: []string{"3:1,0"}},
			{Send: []string{"9:1,2hello\n"}, Hear: "hello\n"},
			{Say: "hello\n", Want: []string{"9:1,2hello\n"}},
		}},
		{"frames are split over packets", []legacytest.Step{
			{Send: []string{"1", "4", ":", "1", ",", "0b.te", "st,9999", "9:1,", "2he", "llo\n"}, Hear: "hello\n"},
			{Want: []string{"3:1,0"}},
		}},
		{"frames are split over requests", []legacytest.Step{
			{Send: []string{"14:1,0b.te"}}, {Send: []string{"st,9999"}}, {Want: []string{"3:1,0"}},
			{Send: []string{"12:1,2abc"}}, {Hear: "abc"}, {Send: []string{"defgh"}, Hear: "defgh"},
			{Send: []string{"i4:1,2j"}, Hear: "ij"},
		}},
		{"several frames in a packet", []legacytest.Step{
			{Send: []string{"14:1,0b.test,99994:1,2a4:1,2b"}, Hear: "ab"},
			{Want: []string{"3:1,0"}},
		}},
		{"each frame down is a packet of its own", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}}, {Say: "one"}, {Say: "two"},
			{Want: []string{"3:1,0", "6:1,2one", "6:1,2two"}},
		}},
		{"two sockets", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}}, {Say: "first"},
			{Send: []string{"17:22,0denied.test,7"}},
			{Want: []string{"3:1,0", "8:1,2first", "7:22,1106"}},
		}},
		{"every byte", []legacytest.Step{
			{Send: []string{"14:1,0b.test,99997:1,2\x00\x80\xff\n"}, Hear: "\x00\x80\xff\n"},
			{Say: "\x00\x80\xff\n", Want: []string{"3:1,0", "7:1,2\x00\x80\xff\n"}},
		}},
		{"data before the socket is open waits for it", []legacytest.Step{
			{Send: []string{"18:1,0later.test,9999"}}, {Send: []string{"9:1,2hello\n"}},
			{Wait: 2 * time.Second, Hear: "hello\n", Want: []string{"3:1,0"}},
		}},
		{"the backend closes", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}}, {Say: "bye", Close: true},
			{Want: []string{"3:1,0", "6:1,2bye", "6:1,1109"}},
			{Send: []string{"4:1,2x"}, Want: []string{"6:1,1110"}},
		}},
		{"the client closes", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}, Want: []string{"3:1,0"}},
			{Send: []string{"4:1,2x3:1,1"}, Hear: "x", Want: []string{"6:1,1103"}},
			{Send: []string{"14:1,0b.test,9999"}, Want: []string{"3:1,0"}},
		}},
		{"not allowed", []legacytest.Step{{Send: []string{"17:1,0denied.test,99"}, Want: []string{"6:1,1106"}}}},
		{"nobody listens", []legacytest.Step{{Send: []string{"18:1,0refused.test,99"}, Want: []string{"6:1,1108"}}}},
		{"no such name", []legacytest.Step{{Send: []string{"18:1,0unknown.test,99"}, Want: []string{"6:1,1108"}}}},
		{"a limit", []legacytest.Step{{Send: []string{"15:1,0full.test,99"}, Want: []string{"6:1,1108"}}}},
		{"no port", []legacytest.Step{{Send: []string{"9:1,0b.test"}, Want: []string{"6:1,1102"}}}},
		{"a port that is none", []legacytest.Step{{Send: []string{"12:1,0b.test,ab"}, Want: []string{"6:1,1102"}}}},
		{"a port too large", []legacytest.Step{{Send: []string{"15:1,0b.test,65536"}, Want: []string{"6:1,1102"}}}},
		{"a host that is none", []legacytest.Step{{Send: []string{"10:1,0b_!?,99"}, Want: []string{"6:1,1102"}}}},
		{"no host", []legacytest.Step{{Send: []string{"3:1,0"}, Want: []string{"6:1,1102"}}}},
		{"an id is opened twice", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}, Want: []string{"3:1,0"}},
			{Send: []string{"14:1,0b.test,9999"}, Want: []string{"6:1,1110"}},
		}},
		{"data for an id that is not open", []legacytest.Step{{Send: []string{"4:7,2x"}, Want: []string{"6:7,1110"}}}},
		{"close of an id that is not open", []legacytest.Step{{Send: []string{"3:7,1"}, Want: []string{"6:7,1110"}}}},
		{"closed before it is open", []legacytest.Step{
			{Send: []string{"18:1,0later.test,99993:1,1"}, Want: []string{"6:1,1103"}},
			{Wait: 2 * time.Second, Want: []string{}},
		}},
		{"an unknown type", []legacytest.Step{
			{Send: []string{"14:1,0b.test,9999"}, Want: []string{"3:1,0"}},
			{Send: []string{"4:1,9x"}, Want: []string{"6:1,1110"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := legacytest.New(t, cspdraft.New, orbited08.New)
				legacytest.Play(t, r, r.Client(t), c.steps)
			})
		})
	}
}
