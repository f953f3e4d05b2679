package cspdraft_test

import (
	"testing"

	"go.uber.org/goleak"

	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTranscripts plays every exchange of testdata.
func TestTranscripts(t *testing.T) { legacytest.Transcripts(t, cspdraft.New) }
