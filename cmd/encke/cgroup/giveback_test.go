package cgroup

import "testing"

func TestQuiet(t *testing.T) {
	const mib = 1 << 20
	q := quiet{worth: leastWorth}
	for i, step := range []struct {
		allocated, used uint64
		due             bool
		why             string
	}{
		{mib / 8, 0, false, "nothing to speak of was allocated"},
		{50 * mib, 0, false, "busy"},
		{99 * mib, 0, false, "still busy"},
		{99*mib + 1000, 0, false, "quiet after work, perhaps for a moment only"},
		{99*mib + 2000, 10 * mib, true, "quiet after work"},
		{99*mib + 3000, 0, false, "quiet, but tidied up"},
		{102 * mib, 0, false, "busy for a moment"},
		{102*mib + 1000, 0, false, "quiet"},
		{102*mib + 2000, 0, false, "quiet, but not worth it"},
		{104 * mib, 0, false, "busy again"},
		{104*mib + 1000, 0, false, "quiet"},
		{104*mib + 2000, 400 * mib, true, "together it is worth it"},
		{200 * mib, 0, false, "busy"},
		{200*mib + 1000, 0, false, "quiet"},
		{200*mib + 2000, 0, false, "a collection would cost more than it brings"},
		{205 * mib, 0, false, "busy"},
		{205*mib + 1000, 0, false, "quiet"},
		{205*mib + 2000, 400 * mib, true, "a quarter of what was in use"},
	} {
		got := q.due(step.allocated)
		if got != step.due {
			t.Errorf("step %d, %s: due is %v", i, step.why, got)
		}
		if got {
			q.tidied(step.allocated, step.used)
		}
	}
}

func TestGiveBackEnds(t *testing.T) {
	stop := GiveBack(nil, func() {})
	stop()
}
