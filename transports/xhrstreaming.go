package transports

import (
	"net/http"

	"encke/csp"
)

// maxText is after how many bytes a text response ends. The browser keeps all of
// it until then.
const maxText = 1 << 20

// xhrStreaming is read from responseText while it grows: a batch on each line.
type xhrStreaming struct{}

func (xhrStreaming) header(head http.Header, _ page) error {
	head.Set("Content-Type", "text/plain; charset=utf-8")
	return nil
}

func (xhrStreaming) open(dst []byte, _ page) []byte { return dst }

func (xhrStreaming) batch(dst []byte, b *csp.Batch) []byte {
	return append(csp.Text.Append(dst, b), '\n')
}

func (xhrStreaming) limits() (int, int) { return 32 << 10, maxText }

func (xhrStreaming) quiet() bool { return false }
