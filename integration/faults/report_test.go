package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Results of a row on a transport. What is skipped counts as not survived.
const (
	passed        = "pass"
	failed        = "FAIL"
	skipped       = "skipped"
	notApplicable = "n/a"
)

// result is one cell of the table.
type result struct {
	Row            int     `json:"row"`
	Transport      string  `json:"transport"`
	Result         string  `json:"result"`
	Why            string  `json:"why,omitempty"` // not applicable or skipped
	Seconds        float64 `json:"seconds,omitempty"`
	Cuts           int     `json:"cuts,omitempty"`
	Resumed        int     `json:"resumed,omitempty"`
	NeighbourAlone float64 `json:"neighbourAloneMs,omitempty"` // p99 of its echo without the fault
	Neighbour      float64 `json:"neighbourMs,omitempty"`      // and with it
}

var results struct {
	mu  sync.Mutex
	all []result
}

func note(r result) {
	results.mu.Lock()
	defer results.mu.Unlock()
	results.all = append(results.all, r)
}

// report prints the table and writes it to integration/out, when a row has run.
func report() error {
	results.mu.Lock()
	defer results.mu.Unlock()
	if len(results.all) == 0 {
		return nil
	}
	text := table(results.all)
	fmt.Print(text)
	out := filepath.Join("..", "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	machine, err := json.MarshalIndent(map[string]any{
		"seed": seed, "full": full, "ended": time.Now().UTC().Format(time.RFC3339), "results": results.all,
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "faults.json"), machine, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "faults.md"), []byte(text), 0o644)
}

// table is the results in Markdown.
func table(all []result) string {
	cells := make(map[int]map[string]result)
	for _, r := range all {
		if cells[r.Row] == nil {
			cells[r.Row] = make(map[string]result)
		}
		cells[r.Row][r.Transport] = r
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults\n\nSEED=%d, %s set.\n\n| row | fault | %s |\n|---|---|%s\n",
		seed, map[bool]string{true: "full", false: "short"}[full], strings.Join(transports, " | "), strings.Repeat("---|", len(transports)))
	var reasons []string
	for _, r := range rows {
		if cells[r.number] == nil {
			continue
		}
		fmt.Fprintf(&b, "| %d | %s |", r.number, r.fault)
		for _, transport := range transports {
			c := cells[r.number][transport]
			fmt.Fprintf(&b, " %s |", c.Result)
			if c.Why != "" {
				reasons = append(reasons, fmt.Sprintf("- row %d, %s, %s: %s", r.number, transport, c.Result, c.Why))
			}
		}
		fmt.Fprintln(&b)
	}
	if len(reasons) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(reasons, "\n"))
	}
	return b.String()
}
