package transports

import (
	"net/http"

	"encke/csp"
)

// binaryFormat is a stream of binary records.
type binaryFormat struct{}

func (binaryFormat) header(head http.Header, _ page) error {
	head.Set("Content-Type", "application/octet-stream")
	return nil
}

func (binaryFormat) open(dst []byte, _ page) []byte { return dst }

func (binaryFormat) batch(dst []byte, b *csp.Batch) []byte {
	before := len(dst)
	dst = csp.Binary.Append(dst, b)
	if len(dst) == before {
		dst = append(dst, byte(csp.NOP))
	}
	return dst
}

func (binaryFormat) quiet() bool { return false }

// fetchStreaming is read by fetch() while it goes on: records until the link ends.
type fetchStreaming struct{ binaryFormat }

func (fetchStreaming) limits() (int, int) { return 64 << 10, -1 }
