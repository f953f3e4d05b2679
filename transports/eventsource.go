package transports

import (
	"net/http"
	"strconv"

	"encke/csp"
)

// eventSource is the event stream of the HTML standard, section 9.2: a batch is
// the data of an event, its id that of the last packet.
type eventSource struct{}

func (eventSource) header(head http.Header, _ page) error {
	head.Set("Content-Type", "text/event-stream")
	return nil
}

func (eventSource) open(dst []byte, _ page) []byte { return dst }

func (eventSource) batch(dst []byte, b *csp.Batch) []byte {
	dst = append(dst, "data: "...)
	dst = csp.Text.Append(dst, b)
	if n := len(b.Packets); n > 0 {
		dst = append(dst, "\nid: "...)
		dst = strconv.AppendUint(dst, b.First+uint64(n)-1, 10)
	}
	return append(dst, "\n\n"...)
}

func (eventSource) limits() (int, int) { return 32 << 10, -1 }

// quiet: a browser tells the page nothing about a refused EventSource.
func (eventSource) quiet() bool { return true }
