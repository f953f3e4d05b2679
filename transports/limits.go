package transports

import (
	"net/http"
	"strconv"

	"encke/cause"
	"encke/csp"
	"encke/quota"
)

// limits are what each address may have and do.
type limits struct {
	sessions   *quota.Counts
	handshakes *quota.Rates
	upgrades   *quota.Rates
	requests   *quota.Counts
}

// burst is how many seconds' worth of something may come at once.
const burst = 5

// retryAddress is how many seconds an address that has too much is asked to stay away.
const retryAddress = 5

func newLimits(o *Options) limits {
	return limits{
		sessions:   quota.NewCounts(o.AddressSessions),
		handshakes: quota.NewRates(o.AddressHandshakes, burst*o.AddressHandshakes),
		upgrades:   quota.NewRates(o.AddressUpgrades, burst*o.AddressUpgrades),
		requests:   quota.NewCounts(o.AddressRequests),
	}
}

// tooMany is a refusal because of what else comes from the same address. Its status
// is 429, where one that concerns everybody is 503.
type tooMany struct{ why *cause.Error }

func (e tooMany) Error() string { return e.why.Error() }
func (e tooMany) Unwrap() error { return e.why }

// Admit says whether the peer's address may open one more session; it is made for
// Admit of csp.Options.
func (h *Handler) Admit(p csp.Peer) (release func(), err error) {
	key := quota.Key(p.Addr)
	if !h.limits.handshakes.Allow(key) {
		h.stats.handshakes.Add(1)
		return nil, h.refuseAddress(p.Addr, "too many new sessions from this address")
	}
	if !h.limits.sessions.Take(key) {
		h.stats.sessions.Add(1)
		return nil, h.refuseAddress(p.Addr, "too many sessions from this address")
	}
	return func() { h.limits.sessions.Give(key) }, nil
}

// admitUpgrade answers 429 and reports false when a WebSocket comes too soon after
// others from its address. Browsers do not show pages the answer.
func (h *Handler) admitUpgrade(w http.ResponseWriter, r *http.Request) bool {
	if h.limits.upgrades.Allow(quota.Key(r.RemoteAddr)) {
		return true
	}
	h.stats.upgrades.Add(1)
	h.refuseRequest(w, r, "too many WebSockets from this address")
	return false
}

// admitRequest answers 429 and reports false when too many requests from the same
// address are under way. There is no CLOSE in the answer, which would be the end of a
// session. release is to be called when the request has been served.
func (h *Handler) admitRequest(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	key := quota.Key(r.RemoteAddr)
	if h.limits.requests.Take(key) {
		return func() { h.limits.requests.Give(key) }, true
	}
	h.stats.requests.Add(1)
	h.refuseRequest(w, r, "too many requests from this address")
	return nil, false
}

func (h *Handler) refuseRequest(w http.ResponseWriter, r *http.Request, text string) {
	h.refuseAddress(r.RemoteAddr, text)
	w.Header().Set("Retry-After", strconv.Itoa(retryAddress))
	http.Error(w, text, http.StatusTooManyRequests)
}

func (h *Handler) refuseAddress(remote, text string) error {
	h.opts.Log.Warn("refused", "reason", text, "remote", remote)
	return tooMany{&cause.Error{Code: cause.Limit, Text: text, Retry: retryAddress}}
}
