package main

// peerInfo says in the report what a peer is.
type peerInfo struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// results are all that a run has measured.
type results struct {
	Date    string                         `json:"date"`
	Command string                         `json:"command"`
	Machine string                         `json:"machine"`
	Go      string                         `json:"go"`
	Rounds  int                            `json:"rounds"`
	Length  string                         `json:"length"` // of each cell
	Seconds float64                        `json:"seconds"`
	Peers   []peerInfo                     `json:"peers"`
	Samples map[string]map[string][]sample `json:"samples"` // by scenario and peer; the rounds
	Idle    map[string][]idleSample        `json:"idle"`
}

// metric is what is looked at of a sample.
type metric func(s sample) float64

func value(s sample) float64   { return s.Value }
func p50(s sample) float64     { return s.P50 }
func p99(s sample) float64     { return s.P99 }
func beside(s sample) float64  { return s.P99 / s.Alone }
func bulkMBs(s sample) float64 { return s.Bulk / 1e6 }
func wireIn(s sample) float64  { return s.WireIn }
func wireOut(s sample) float64 { return s.WireOut }

// cost is CPU seconds of the proxy for so many units.
func cost(units float64) metric {
	return func(s sample) float64 { return s.CPU / s.Units * units }
}

// of returns the median of a metric, 0 if it was not measured.
func (r *results) of(scenario, peer string, m metric) float64 {
	return median(r.each(scenario, peer, m))
}

// each returns a metric of every round.
func (r *results) each(scenario, peer string, m metric) (all []float64) {
	for _, s := range r.Samples[scenario][peer] {
		if s.Units > 0 {
			all = append(all, m(s))
		}
	}
	return all
}

// ratio returns the median over the rounds of one peer's metric over another's in the
// same round, which is what a noisy machine leaves meaningful; 0 if there is none.
func (r *results) ratio(scenario, peer, base string, m metric) float64 {
	return median(r.ratios(scenario, peer, base, m))
}

func (r *results) ratios(scenario, peer, base string, m metric) (all []float64) {
	a, b := r.Samples[scenario][peer], r.Samples[scenario][base]
	for i := range min(len(a), len(b)) {
		if a[i].Units > 0 && b[i].Units > 0 && m(b[i]) > 0 {
			all = append(all, m(a[i])/m(b[i]))
		}
	}
	return all
}

// largestIdle returns the measurement of a peer with the most idle streams.
func (r *results) largestIdle(peer string) (idleSample, bool) {
	var found idleSample
	for _, s := range r.Idle[peer] {
		if s.Err == "" && s.N > found.N {
			found = s
		}
	}
	return found, found.N > 0
}
