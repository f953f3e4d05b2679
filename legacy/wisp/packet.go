package wisp

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Types of packets. A packet has its type, the stream as uint32, and a payload; all numbers
// are little-endian.
const (
	typeConnect  = 0x01 // type of stream uint8, port uint16, host
	typeData     = 0x02 // bytes
	typeContinue = 0x03 // packets uint32
	typeClose    = 0x04 // reason uint8
	typeInfo     = 0x05 // major uint8, minor uint8, extensions
)

// headSize is the size of a packet without payload.
const headSize = 5

// Types of streams.
const (
	streamTCP = 0x01
	streamUDP = 0x02
)

// Extensions, each with its id uint8, the size of its data uint32, and the data.
const (
	extPassword = 0x02 // of the server: 1 if it is required; of the client: size of the name uint8, name, password
	extMOTD     = 0x04 // of the server: text
	extConfirm  = 0x05 // nothing
)

// maxExtensions is how many a client may name; the protocol has five.
const maxExtensions = 32

var errShort = errors.New("packet shorter than its fields")

// parseHead cuts a packet into its parts.
func parseHead(p []byte) (kind byte, stream uint32, payload []byte, err error) {
	if len(p) < headSize {
		return 0, 0, nil, errShort
	}
	return p[0], binary.LittleEndian.Uint32(p[1:]), p[headSize:], nil
}

// parseConnect parses the payload of CONNECT.
func parseConnect(p []byte) (kind byte, host string, port uint16, err error) {
	if len(p) < 3 {
		return 0, "", 0, errShort
	}
	return p[0], string(p[3:]), binary.LittleEndian.Uint16(p[1:]), nil
}

// info is what a client says of itself.
type info struct {
	major       byte
	confirm     bool
	credentials []byte // data of the password extension
}

// parseInfo parses the payload of INFO.
func parseInfo(p []byte) (info, error) {
	if len(p) < 2 {
		return info{}, errShort
	}
	var got info
	var seen []byte
	got.major, p = p[0], p[2:]
	for len(p) > 0 {
		if len(p) < 5 {
			return info{}, errShort
		}
		id, size := p[0], binary.LittleEndian.Uint32(p[1:])
		p = p[5:]
		if uint64(size) > uint64(len(p)) {
			return info{}, errShort
		}
		if len(seen) == maxExtensions || slices.Contains(seen, id) {
			return info{}, errors.New("too many extensions, or one twice")
		}
		seen = append(seen, id)
		switch id {
		case extPassword:
			got.credentials = p[:size:size]
		case extConfirm:
			got.confirm = true
		}
		p = p[size:]
	}
	return got, nil
}

func appendHead(p []byte, kind byte, stream uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(p, kind), stream)
}

func continuePacket(stream, packets uint32) []byte {
	return binary.LittleEndian.AppendUint32(appendHead(nil, typeContinue, stream), packets)
}

func closePacket(stream uint32, reason byte) []byte {
	return append(appendHead(nil, typeClose, stream), reason)
}

func appendExtension(p []byte, id byte, data string) []byte {
	return append(binary.LittleEndian.AppendUint32(append(p, id), uint32(len(data))), data...)
}
