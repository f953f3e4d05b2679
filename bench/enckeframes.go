package main

import (
	"encoding/binary"
	"fmt"
)

// frames takes the frames of sockets out of a session's stream.
type frames struct {
	src    byteSource
	socket uint64 // of the current frame
	left   int    // of a DATA frame that was not read
}

// frame is the head of a frame; which fields count depends on the kind.
type frame struct {
	kind byte
	n    int // OPENED and WINDOW: credit; DATA: bytes that follow
}

// next reads the head of the next frame.
func (f *frames) next() (frame, error) {
	kind, err := f.src.ReadByte()
	if err != nil {
		return frame{}, err
	}
	if f.socket, err = binary.ReadUvarint(f.src); err != nil {
		return frame{}, err
	}
	var n uint64
	switch kind {
	case frameData, frameWindow:
		n, err = binary.ReadUvarint(f.src)
	case frameOpened:
		if n, err = binary.ReadUvarint(f.src); err == nil {
			if err = skipText(f.src); err == nil {
				err = skipText(f.src)
			}
		}
	case frameEOF:
	case frameReset:
		if n, err = binary.ReadUvarint(f.src); err == nil {
			err = skipText(f.src)
		}
	case frameGoAway:
		_, err = binary.ReadUvarint(f.src)
		_, _ = binary.ReadUvarint(f.src)
	default:
		err = fmt.Errorf("encke: frame 0x%02x", kind)
	}
	if kind == frameData {
		f.left = int(n)
	}
	return frame{kind, int(n)}, err
}

// read reads from the current DATA frame.
func (f *frames) read(p []byte) (int, error) {
	n, err := f.src.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}
