package tcpsocket

import (
	"testing"

	"encke/buffer"
)

func TestReadSizeFollowsWhatComes(t *testing.T) {
	size := minRead
	for range 5 {
		size = readSize(size, size) // there might have been more
	}
	if size != maxRead {
		t.Errorf("after full reads %d bytes are asked for, want %d", size, maxRead)
	}
	for came, want := range map[int]int{20 << 10: buffer.Fitting(20 << 10), 64: minRead, 1: minRead} {
		if got := readSize(maxRead, came); got != want {
			t.Errorf("after %d bytes %d are asked for, want %d", came, got, want)
		}
	}
	if got := readSize(minRead, minRead); got != 32<<10-buffer.Headroom {
		t.Errorf("after a full read of the smallest size %d bytes are asked for, want %d", got, 32<<10-buffer.Headroom)
	}
}
