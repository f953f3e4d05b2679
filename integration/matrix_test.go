package integration

import (
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/proxy"
)

const (
	KiB = 1 << 10
	MiB = 1 << 20
)

// scenarios are the columns of the matrix.
var scenarios = []struct {
	name string
	run  func(*testing.T, cell)
}{
	{"echo", echo},
	{"16 MiB each way", big},
	{"50 sockets", fifty},
	{"half-close", halfClose},
	{"half-close by the backend", halfCloseByBackend},
	{"refused", refused},
	{"denied", denied},
	{"reset by the backend", reset},
	{"slow reader", slowReader},
	{"backend that does not read", stuckWriter},
	{"cuts", cuts},
	{"frozen link", frozenLink},
	{"switch of transport", switchOfTransport},
	{"page that leaves", leavingPage},
}

// TestMatrix runs every scenario on every transport in every browser, the browsers side
// by side: TestMatrix/chromium/websocket/echo.
func TestMatrix(t *testing.T) {
	for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			for _, transport := range proxy.Transports {
				t.Run(transport, func(t *testing.T) {
					for _, scenario := range scenarios {
						t.Run(scenario.name, func(t *testing.T) {
							scenario.run(t, cell{kind, transport})
						})
					}
				})
			}
		})
	}
}

// bulk is how much a big transfer moves each way. Script tags send at most some 5 KiB
// in a URL and one request at a time, so that 16 MiB would be more than 3,000 requests
// for no further insight.
func (c cell) bulk() int64 {
	if c.transport == "jsonp" {
		return 1 * MiB
	}
	return 16 * MiB
}

func list(backends ...*backend.Backend) []*backend.Backend { return backends }
