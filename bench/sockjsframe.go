package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
)

// SockJS 0.3: the frames are o open, h heartbeat, a["..."] messages, c[...] close. Its
// strings cannot carry bytes, so they are base64.

// sockjsPath returns the path of a new session's URL.
func sockjsPath(u *url.URL, what string) string {
	return fmt.Sprintf("%s/000/%016x/%s", u.Path, random(), what)
}

// sockjsDecode appends the payload of one frame to out.
func sockjsDecode(out, frame []byte) ([]byte, error) {
	switch {
	case len(frame) == 0 || frame[0] == 'o' || frame[0] == 'h':
		return out, nil
	case frame[0] == 'c':
		return out, fmt.Errorf("sockjs: closed %s", frame)
	case frame[0] != 'a' || len(frame) < 3:
		return out, fmt.Errorf("sockjs: bad frame %.40q", frame)
	}
	rest := frame[2:] // base64 holds no quotes and no escapes: split at the quotes
	for {
		begin := bytes.IndexByte(rest, '"')
		if begin < 0 {
			return out, nil
		}
		rest = rest[begin+1:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			return out, errors.New("sockjs: unterminated string")
		}
		var err error
		if out, err = base64.StdEncoding.AppendDecode(out, rest[:end]); err != nil {
			return out, err
		}
		rest = rest[end+1:]
	}
}

// sockjsEncode appends a frame with p n times.
func sockjsEncode(b, p []byte, n int) []byte {
	b = append(b, '[')
	for i := range n {
		b = sockjsMessage(b, p, i == 0)
	}
	return append(b, ']')
}

// sockjsMessage appends p as an element of a frame.
func sockjsMessage(b, p []byte, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	b = base64.StdEncoding.AppendEncode(append(b, '"'), p)
	return append(b, '"')
}
