package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestRatioIsTakenWithinARound(t *testing.T) {
	r := results{Samples: map[string]map[string][]sample{"down1": {
		"a":     {{Value: 10, Units: 1}, {Value: 90, Units: 1}, {Value: 33, Units: 1}},
		"relay": {{Value: 10, Units: 1}, {Value: 30, Units: 1}, {Value: 11, Units: 1}},
	}}}
	if got := r.ratio("down1", "a", "relay", value); got != 3 {
		t.Errorf("ratio = %v, want 3, the median of 1, 3 and 3", got)
	}
	if got := r.ratio("down1", "a", "absent", value); got != 0 {
		t.Errorf("ratio to what was not measured = %v, want 0", got)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		f    floor
		want string
	}{
		{floor{must: 0.85, mark: 1, least: true, got: 0.84, measured: true}, "**not reached**"},
		{floor{must: 0.85, mark: 1, least: true, got: 0.85, measured: true}, "must"},
		{floor{must: 0.85, mark: 1, least: true, got: 1, measured: true}, "mark"},
		{floor{must: 1.1, mark: 0.9, got: 1.2, measured: true}, "**not reached**"},
		{floor{must: 1.1, mark: 0.9, got: 0.8, measured: true}, "mark"},
		{floor{must: 1.1, mark: 0.9}, "not measured"},
	} {
		if got := c.f.verdict(); got != c.want {
			t.Errorf("verdict of %+v = %q, want %q", c.f, got, c.want)
		}
	}
}

func TestTextBatch(t *testing.T) {
	var sizes []int
	b := textBatch{arrived: func(n int) { sizes = append(sizes, n) }}
	text := fmt.Sprintf(`[["welcome","n0.x",0,120,25],["ack",1],[1,1,"%s"],[2,1,"%s"]]`,
		base64.RawURLEncoding.EncodeToString([]byte("\x00one")), base64.RawURLEncoding.EncodeToString([]byte("\xfftwo!")))
	got, err := b.append(nil, []byte(text))
	if err != nil || !bytes.Equal(got, []byte("\x00one\xfftwo!")) || b.session != "n0.x" || fmt.Sprint(sizes) != "[4 5]" {
		t.Errorf("append(%s) = %q, %v; session %q, sizes %v", text, got, err, b.session, sizes)
	}
	if _, err := b.append(nil, []byte(`[[4,1,"AA"]]`)); err == nil {
		t.Error("packet 4 behind packet 2 was taken")
	}
	if _, err := b.append(nil, []byte(`[[3,0,null]]`)); !errors.Is(err, io.EOF) {
		t.Errorf("end of the stream: %v, want io.EOF", err)
	}
	if _, err := b.append(nil, []byte(`[["close",13,0,"gone"]]`)); err == nil {
		t.Error("a CLOSE is no error")
	}
}
