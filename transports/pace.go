package transports

import (
	"net/http"
	"time"
)

// pace bounds how long a body takes: BodyTimeout in all, and after a while its bytes
// must come at MinBodyRate, so that a connection is not held for next to nothing.
type pace struct {
	rc    *http.ResponseController
	began time.Time
	end   time.Time
	rate  int // bytes a second
}

// bodyGrace is how long a body may take at any rate.
const bodyGrace = 5 * time.Second

func (h *Handler) newPace(w http.ResponseWriter) *pace {
	now := time.Now()
	return &pace{rc: http.NewResponseController(w), began: now, end: now.Add(h.opts.BodyTimeout), rate: h.opts.MinBodyRate}
}

// wait sets until when there must be more than n bytes.
func (p *pace) wait(n int) {
	due := p.began.Add(bodyGrace + time.Duration(n)*time.Second/time.Duration(p.rate))
	if due.After(p.end) {
		due = p.end
	}
	p.rc.SetReadDeadline(due)
}

// done takes the limit back.
func (p *pace) done() { p.rc.SetReadDeadline(time.Time{}) }
