package wsproxy

import (
	"testing"

	"encke/whitelist"
)

// A target is one that ParseHostPort makes of the one address, or an error.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"address=a.example:1", "address=%5B::1%5D:5432&x=y", "address=a:1&address=b:2", "%zz", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		dest, err := target(query)
		if err != nil {
			if dest != (whitelist.Dest{}) {
				t.Errorf("%q: %v beside the error %v", query, dest, err)
			}
			return
		}
		if again, err := whitelist.ParseHostPort(dest.String()); err != nil || again != dest {
			t.Errorf("%q: %v is not canonical", query, dest)
		}
	})
}
