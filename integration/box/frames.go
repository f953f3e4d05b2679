package box

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
)

// swallow passes a WebSocket's handshake, everything upwards, and so many frames
// downwards; then nothing more comes down. It returns when either side has closed.
func (b *Box) swallow(w http.ResponseWriter, r *http.Request) {
	target, err := net.Dial("tcp", b.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer target.Close()
	client, ahead, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if err := r.Write(target); err != nil {
		return
	}
	up := make(chan struct{})
	go func() { // until either side has closed
		defer close(up)
		_, _ = io.Copy(target, ahead)
		_ = target.Close()
		_ = client.Close()
	}()
	b.passDown(client, target)
	_ = target.Close()
	_ = client.Close()
	<-up
}

func (b *Box) passDown(client io.Writer, target io.Reader) {
	down := bufio.NewReader(target)
	resp, err := http.ReadResponse(down, nil)
	if err != nil || resp.Write(client) != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	for range *b.habits.Frames {
		if passFrame(client, down) != nil {
			return
		}
	}
	b.did("frames")
	_, _ = io.Copy(io.Discard, down)
}

// passFrame passes one frame of a server, which is not masked (RFC 6455 section 5.2).
func passFrame(client io.Writer, down *bufio.Reader) error {
	head, err := down.Peek(2)
	if err != nil {
		return err
	}
	size, length := int64(2), int64(head[1]&0x7f)
	switch length {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if head, err = down.Peek(int(size)); err != nil {
		return err
	}
	switch size {
	case 4:
		length = int64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		length = int64(binary.BigEndian.Uint64(head[2:]))
	}
	_, err = io.CopyN(client, down, size+length)
	return err
}
