package csp_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain sets how many cases a property is tried on, and how long they are; `make
// properties` tries more.
func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "20000")
	flag.Set("rapid.steps", "50")
	goleak.VerifyTestMain(m)
}
