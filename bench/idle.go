package main

import (
	"io"
	"time"
)

// idleSample is the memory of a proxy that was just started and has n idle streams, each
// with its connection to the backend.
type idleSample struct {
	N       int     `json:"n"`
	Touched int     `json:"touched"`          // bytes that each has echoed
	Base    float64 `json:"base_rss"`         // bytes before they were opened
	RSS     float64 `json:"rss"`              //
	PSS     float64 `json:"pss"`              //
	Each    float64 `json:"rss_each"`         // (RSS - Base) / N
	EachPSS float64 `json:"pss_each"`         //
	Opening float64 `json:"opening_s"`        // how long opening them took
	CPU     float64 `json:"idle_cpu_s_per_s"` // while nothing happens
	Err     string  `json:"err,omitempty"`
}

// idle measures n idle streams, their CPU over so long.
func (r *running) idle(n int, over time.Duration) (res idleSample) {
	res.N, res.Touched = n, r.lengths.touch
	if warm, err := r.open(1, echoing()); err == nil {
		closeAll(warm)
		time.Sleep(200 * time.Millisecond)
	}
	var basePSS float64
	res.Base, basePSS = r.process.memory()
	began := time.Now()
	streams, err := r.open(n, echoing())
	res.Opening = time.Since(began).Seconds()
	if err != nil {
		res.Err = err.Error()
		return res
	}
	if r.lengths.touch > 0 {
		if err := touch(streams, r.lengths.touch); err != nil {
			closeAll(streams)
			res.Err = err.Error()
			return res
		}
	}
	time.Sleep(r.lengths.settle)
	res.RSS, res.PSS = r.process.memory()
	res.Each, res.EachPSS = (res.RSS-res.Base)/float64(n), (res.PSS-basePSS)/float64(n)
	_, cpu := r.process.tree()
	began = time.Now()
	time.Sleep(over)
	_, after := r.process.tree()
	res.CPU = (after - cpu) / time.Since(began).Seconds()
	closeAll(streams)
	return res
}

// touch echoes n bytes on every stream, a few at a time. What is idle then has carried
// traffic, as it has in life: buffers that were written once stay resident.
func touch(streams []stream, n int) error {
	return some(len(streams), func(i int) error {
		_, err := streams[i].Write(payload[:n])
		if err == nil {
			_, err = io.ReadFull(streams[i], make([]byte, n))
		}
		return err
	})
}
