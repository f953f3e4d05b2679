package wsframes

import (
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// least is how many cases there are at least. A table that lost its rows, or a
// generator that makes none, must not pass for a test.
const least = 500

// played counts the cases that ran.
var played atomic.Int64

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(counted{m})
}

// counted is a run of all tests that checks how many cases it had.
type counted struct{ m *testing.M }

func (c counted) Run() int {
	code := c.m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""
	if n := played.Load(); code == 0 && all && n < least {
		fmt.Fprintf(os.Stderr, "%d cases, want at least %d\n", n, least)
		return 1
	}
	return code
}
