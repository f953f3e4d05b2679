package hostile

import (
	"fmt"
	"strings"
	"testing"

	"encke/cause"
	"encke/csp"
)

// wrongBodies are bodies that are too large, encoded, or never meant to arrive.
func wrongBodies(_ *testing.T, r *rig) (all []attack) {
	for _, e := range endpoints {
		for _, coding := range []string{"gzip", "br", "deflate", "zstd", "compress", "identity", "x-eViL", "gzip, gzip", "*"} {
			q := e.plain(r, fresh()).adding("Content-Encoding: " + coding)
			if e.ws() {
				continue // it has no body that could be encoded
			}
			all = append(all, attack{name: e.name + ": encoded with " + coding, request: q, want: e.fixed(encoded)})
		}
	}
	tooLarge := "body of more than 1048576 bytes"
	for _, e := range those(endpoint.post) {
		large := e.refusal(413, cause.Limit, tooLarge)
		filled := fresh() + strings.Repeat("\x00", csp.MaxBody-18)
		all = append(all,
			attack{name: e.name + ": 1 MiB and one byte", request: e.plain(r, filled+"\x00"), want: large},
			attack{name: e.name + ": 3 MiB", request: e.plain(r, filled+strings.Repeat("\x00", 2<<20)), want: large},
			attack{name: e.name + ": 1 MiB and one byte without a length", request: e.plain(r, filled+"\x00").chunked(64 << 10), want: large},
			attack{name: e.name + ": 3 MiB without a length", request: e.plain(r, filled+strings.Repeat("\x00", 2<<20)).chunked(1 << 20), want: large},
			attack{name: e.name + ": a packet of 1 MiB, which no body holds", request: e.plain(r, fresh()+seq(1)+data(strings.Repeat("e", csp.MaxBody))), want: large})
		for _, n := range []string{"1048577", "2147483648", "4294967296", "1000000000000"} {
			q := e.plain(r, "").adding("Content-Length: " + n)
			all = append(all, attack{name: fmt.Sprintf("%s: %s bytes announced, none sent", e.name, n), request: q, want: large})
		}
		for name, head := range map[string]string{"an Expect": "Expect: 100-continue"} {
			q := e.plain(r, "").adding("Content-Length: 1048577").adding(head)
			all = append(all, attack{name: e.name + ": 1 MiB and one byte announced with " + name, request: q, want: large})
		}
	}
	return all
}
