package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"encke/integration/proxy"
)

// counter is what must have moved after a row (I6).
type counter struct {
	anyOf string // names, separated by spaces; what they moved is added up
	least int64
	only  []string // transports; nil: all
}

// counters are those of the rows, by their numbers. All of a row's must have moved.
var counters = map[int][]counter{
	1:  {{"Sessions.Retransmitted Sessions.Repeats", 1, nil}},
	2:  {{"Sessions.Retransmitted Sessions.Repeats", 1, nil}},
	3:  {{"Sessions.Expired", 1, nil}},
	5:  {{"Sessions.Attached", 2, nil}},
	7:  {{"Sessions.Retransmitted Sessions.Repeats", 1, nil}},
	8:  {{"Sessions.Attached", 2, []string{"websocket"}}, {"Requests.SlowBodies Sessions.Repeats", 1, posting}},
	9:  {{"Sessions.Repeats", 1, nil}},
	10: {{"Sessions.OutOfOrder", 1, nil}, {"Sessions.WindowOverruns", 1, nil}},
	11: {{"Sessions.OutOfOrder", 1, nil}, {"Sessions.Gaps", 1, nil}},
	12: {{"Sessions.Attached", 2, nil}},
	13: {{"Sessions.Attached", 2, nil}},
	14: {{"Sessions.Attached", 2, nil}},
	15: {{"Sessions.Attached", 2, nil}},
	16: {{"Sessions.Repeats", 1, posting}},
	20: {{"Sockets.Ended.closed", 2, nil}},
	21: {{"Sockets.Ended.reset", 1, nil}},
	22: {
		{"Dials.Failed.refused", 1, nil}, {"Dials.DeniedNames", 1, nil}, {"Dials.ConnectTimeouts", 1, nil},
		{"Dials.LookupFailures", 1, nil}, {"Dials.LookupTimeouts", 1, nil}, {"Dials.DeniedAddresses", 1, nil},
	},
	25: {{"Sessions.RefusedBudget", 1, nil}},
	30: {{"Edge.AcceptErrors Edge.Pauses", 1, nil}},
	31: {{"Sessions.RefusedBudget", 1, nil}},
	33: {{"DroppedLines", 1, nil}},
	34: {
		{"Sessions.Closed.protocol-error", 10, nil}, {"Sessions.OptimisticAcks", 1, nil},
		{"Sockets.NumbersReused", 1, nil}, {"Sockets.WindowOverflows", 1, nil},
		{"Sessions.Closed.internal", 1, nil}, {"Requests.Panics", 1, nil}, {"Sockets.Panics", 1, nil},
	},
	35: {{"Sessions.Displaced", 1, nil}},
	36: {{"Sessions.Attached", 50, nil}},
	37: {{"Edge.SlowHeads", 1, nil}, {"Requests.SlowBodies", 1, nil}},
}

// posting are the transports whose packets come in bodies.
var posting = []string{"fetch-streaming", "xhr-streaming", "eventsource", "long-polling", "iframe"}

// uncounted are rows after which there is nothing for a counter to say, and why.
var uncounted = map[int]string{
	4:  "a short sleep is silence like any other; a long one is expired or, on a stream, not noticed",
	6:  "most links outlive it: the kernel sends again what was lost",
	17: "the kernel sends again what the line lost",
	18: "back-pressure, no fault of the proxy: nothing is lost or given up",
	19: "back-pressure, no fault of the proxy: nothing is lost or given up",
	23: "the socket is connected",
	24: "back-pressure, no fault of the proxy: nothing is lost or given up",
	26: "the process ends with its counters",
	28: "the process ends with its counters",
	32: "nothing is given up",
}

// told judges I6: the counters of the row's fault have moved.
func (f *fault) told(after proxy.Counters) {
	f.Helper()
	var moved []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if n := after[name] - f.before.counters[name]; n != 0 {
			moved = append(moved, fmt.Sprintf("%s %+d", name, n))
		}
	}
	f.Logf("counters that moved: %s", strings.Join(moved, ", "))
	for _, c := range counters[f.row.number] {
		if c.only != nil && !slices.Contains(c.only, f.transport) {
			continue
		}
		sum := int64(0)
		for _, name := range strings.Fields(c.anyOf) {
			if _, is := after[name]; !is {
				f.Errorf("the proxy has no counter %q", name)
			}
			sum += after[name] - f.before.counters[name]
		}
		if sum < c.least {
			f.Errorf("I6: %s moved by %d, want at least %d", c.anyOf, sum, c.least)
		}
	}
}

// Each row says what it is counted by, or why by nothing.
func TestEachRowIsCounted(t *testing.T) {
	for _, r := range rows {
		_, why := uncounted[r.number]
		if why == (len(counters[r.number]) > 0) {
			t.Errorf("row %d: one of counters and uncounted must say something of it", r.number)
		}
	}
}
