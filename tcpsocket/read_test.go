package tcpsocket

import (
	"testing"

	"encke/buffer"
)

func TestReadSizeFollowsWhatComes(t *testing.T) {
	size := firstRead
	for range 5 {
		size = readSize(size, size) // there might have been more
	}
	if size != maxRead {
		t.Errorf("after full reads %d bytes are asked for, want %d", size, maxRead)
	}
	for _, came := range []int{20 << 10, 64, 1} {
		size = readSize(size, came)
		if size < came || size != buffer.Fitting(came) {
			t.Errorf("after %d bytes %d are asked for, want %d", came, size, buffer.Fitting(came))
		}
	}
	if got := readSize(buffer.Fitting(64), buffer.Fitting(64)); got != 2*256-buffer.Headroom {
		t.Errorf("after a full small read %d bytes are asked for, want %d", got, 2*256-buffer.Headroom)
	}
}
