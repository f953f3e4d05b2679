package main

import (
	"fmt"
	"slices"
	"strings"
)

// markdown returns the report.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s; %d interleaved rounds of %s, medians, ratios within a round; %.0f s in all.\n\n    %s\n\n",
		r.Date, r.Machine, r.Go, r.Rounds, r.Length, r.Seconds, r.Command)
	r.summaryTable(&b)
	floorTable(&b, "÷ relay unless it says otherwise", r.floors())
	for i := range scenarios {
		if cells, ok := r.Samples[scenarios[i].name]; ok {
			r.scenarioTable(&b, &scenarios[i], cells)
		}
	}
	if len(r.Idle) > 0 {
		r.idleTable(&b)
	}
	return b.String()
}

// row writes a row of a table.
func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// head writes the head of a table.
func head(b *strings.Builder, cells ...string) {
	row(b, cells...)
	b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
}

// number writes a value with three digits, a dash for what was not measured.
func number(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func floorTable(b *strings.Builder, title string, floors []floor) {
	fmt.Fprintf(b, "**Floors and marks** (%s)\n\n", title)
	head(b, "what", "of", "measured", "rounds", "must", "mark", "reached")
	for _, f := range floors {
		sign, rounds := "≤ ", "–"
		if f.least {
			sign = "≥ "
		}
		if len(f.rounds) > 1 {
			rounds = number(slices.Min(f.rounds)) + " to " + number(slices.Max(f.rounds))
		}
		row(b, f.what, f.of, number(f.got), rounds, sign+number(f.must), sign+number(f.mark), f.verdict())
	}
	b.WriteString("\n")
}

// summary are the columns of the table in short, which the main README has of one run.
var summary = []struct {
	title, scenario string
	metric          metric
}{
	{"down, 1 stream", "down1", value}, {"down, 50", "down50", value},
	{"up, 1", "up1", value}, {"up, 50", "up50", value},
	{"messages up", "msgup1", value}, {"set-up", "setup", value},
	{"echo p50", "echo", p50}, {"p99", "echo", p99}, {"p99 beside bulk", "mixed", p99}, {"CPU, paced", "paced100", cost(1e6)},
}

// summaryTable has a line for each peer: ratios to the relay, and the memory of an idle stream.
func (r *results) summaryTable(b *strings.Builder) {
	b.WriteString("**In short**: times the relay's. Of the first six more is better, of the others less.\n\n")
	titles := []string{"peer"}
	for _, c := range summary {
		titles = append(titles, c.title)
	}
	head(b, append(titles, "idle KiB")...)
	for _, p := range r.Peers {
		line := []string{p.Name}
		for _, c := range summary {
			line = append(line, number(r.ratio(c.scenario, p.Name, basePeer, c.metric)))
		}
		idle := "–"
		if s, ok := r.largestIdle(p.Name); ok {
			idle = number(s.EachPSS / 1024)
		}
		row(b, append(line, idle)...)
	}
	b.WriteString("\n")
}

func (r *results) scenarioTable(b *strings.Builder, sc *scenario, cells map[string][]sample) {
	better, per := "more", "CPU s/GB"
	if sc.lower {
		better = "less"
	}
	if sc.perCPU == 1e6 {
		per = "CPU s/million"
	}
	fmt.Fprintf(b, "**%s**: %s (%s, %s is better)\n\n", sc.name, sc.about, sc.unit, better)
	titles := []string{"peer", sc.unit, "÷ " + limitPeer, "÷ " + basePeer, per, per + " ÷ " + basePeer}
	if sc.timed {
		titles = append(titles, "p50 µs", "p99 µs")
	}
	if sc.name == "mixed" {
		titles = append(titles, "p99 ÷ alone", "bulk MB/s")
	}
	if sc.wire {
		titles = append(titles, "wire B down", "wire B up")
	}
	head(b, titles...)
	for _, p := range r.Peers {
		if len(cells[p.Name]) == 0 {
			continue
		}
		line := []string{p.Name, number(r.of(sc.name, p.Name, value)),
			number(r.ratio(sc.name, p.Name, limitPeer, value)), number(r.ratio(sc.name, p.Name, basePeer, value)),
			number(r.of(sc.name, p.Name, cost(sc.perCPU))), number(r.ratio(sc.name, p.Name, basePeer, cost(sc.perCPU)))}
		if sc.timed {
			line = append(line, number(r.of(sc.name, p.Name, p50)), number(r.of(sc.name, p.Name, p99)))
		}
		if sc.name == "mixed" {
			line = append(line, number(r.of(sc.name, p.Name, beside)), number(r.of(sc.name, p.Name, bulkMBs)))
		}
		if sc.wire {
			line = append(line, number(r.of(sc.name, p.Name, wireIn)), number(r.of(sc.name, p.Name, wireOut)))
		}
		row(b, line...)
	}
	b.WriteString("\n")
	for _, p := range r.Peers {
		for i, s := range cells[p.Name] {
			if s.Err != "" {
				fmt.Fprintf(b, "%s, round %d: %s\n\n", p.Name, i+1, s.Err)
			}
		}
	}
}

func (r *results) idleTable(b *strings.Builder) {
	b.WriteString("**idle**: memory of a fresh proxy for each idle stream with its connection to the backend (less is better)\n\n")
	head(b, "peer", "streams", "echoed before", "KiB RSS each", "KiB PSS each", "÷ relay", "MiB before", "opened in s", "CPU while idle")
	for _, p := range r.Peers {
		for _, x := range r.Idle[p.Name] {
			if x.Err != "" {
				row(b, p.Name, fmt.Sprint(x.N), x.Err, "", "", "", "", "", "")
				continue
			}
			rel := "–"
			for _, y := range r.Idle[basePeer] {
				if y.N == x.N && y.EachPSS > 0 {
					rel = fmt.Sprintf("%.2f", x.EachPSS/y.EachPSS)
				}
			}
			row(b, p.Name, fmt.Sprint(x.N), fmt.Sprint(x.Touched), fmt.Sprintf("%.1f", x.Each/1024), fmt.Sprintf("%.1f", x.EachPSS/1024), rel,
				fmt.Sprintf("%.1f", x.Base/(1<<20)), fmt.Sprintf("%.1f", x.Opening), fmt.Sprintf("%.1f %%", x.CPU*100))
		}
	}
	b.WriteString("\n")
}
