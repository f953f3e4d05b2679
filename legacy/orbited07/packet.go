package orbited07

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"encke/csp"
)

// packet is one packet for the client: a list of strings, of which the first is its id.
type packet struct {
	id   uint64
	name string
	arg  string // of "opt" and "close"
	data []byte // of "data"
}

// strings calls f for each string of the packet, in order. text is valid during the call.
func (p *packet) strings(scratch []byte, f func(text []byte, last bool)) []byte {
	scratch = strconv.AppendUint(scratch[:0], p.id, 10)
	f(scratch, false)
	scratch = append(scratch[:0], p.name...)
	switch p.name {
	case "data":
		f(scratch, false)
		scratch = base64.StdEncoding.AppendEncode(scratch[:0], p.data)
		f(scratch, true)
	case "opt", "close":
		f(scratch, false)
		scratch = append(scratch[:0], p.arg...)
		f(scratch, true)
	default:
		f(scratch, true)
	}
	return scratch
}

// appendCounted appends packets as most transports have them: before each string stands
// 1, or 0 before the last one of the packet, its length, and a comma.
func appendCounted(dst []byte, packets []packet) []byte {
	var scratch []byte
	for i := range packets {
		scratch = packets[i].strings(scratch, func(text []byte, last bool) {
			if last {
				dst = append(dst, '0')
			} else {
				dst = append(dst, '1')
			}
			dst = strconv.AppendUint(dst, uint64(len(text)), 10)
			dst = append(dst, ',')
			dst = append(dst, text...)
		})
	}
	return dst
}

// appendJSON appends packets as an array of arrays of strings. No string of ours has a
// character that JSON or HTML would want escaped.
func appendJSON(dst []byte, packets []packet) []byte {
	var scratch []byte
	open := byte('[')
	for i := range packets {
		dst = append(dst, open)
		open = ','
		dst = append(dst, '[')
		scratch = packets[i].strings(scratch, func(text []byte, last bool) {
			dst = append(dst, '"')
			dst = append(dst, text...)
			dst = append(dst, '"')
			if !last {
				dst = append(dst, ',')
			}
		})
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// upstream is one packet of the client.
type upstream struct {
	id   uint64
	name string // "data", "ping" or "close"
	text []byte // of "data": base64
}

// maxStrings is how many strings a packet may have: id, name and argument.
const maxStrings = 3

// parse calls f for each packet of a body.
func parse(body []byte, f func(upstream) error) error {
	var strings [maxStrings][]byte
	for n := 0; len(body) > 0; {
		text, last, rest, err := nextString(body)
		if err != nil {
			return err
		}
		if n == maxStrings {
			return fmt.Errorf("a packet of more than %d strings", maxStrings)
		}
		body = rest
		strings[n] = text
		n++
		if !last {
			if len(body) == 0 {
				return errShort
			}
			continue
		}
		p, err := client(strings[:n])
		if err == nil {
			err = f(p)
		}
		if err != nil {
			return err
		}
		n = 0
	}
	return nil
}

var errShort = errors.New("the body ends inside a packet")

// nextString takes the first string from body.
func nextString(body []byte) (text []byte, last bool, rest []byte, err error) {
	if body[0] != '0' && body[0] != '1' {
		return nil, false, nil, errors.New("a string begins with neither 0 nor 1")
	}
	n, i := 0, 1
	for ; i < len(body) && body[i] >= '0' && body[i] <= '9'; i++ {
		if n = 10*n + int(body[i]-'0'); n > csp.MaxBody {
			return nil, false, nil, errors.New("a string is longer than a body may be")
		}
	}
	switch {
	case i == len(body):
		return nil, false, nil, errShort
	case i == 1 || body[i] != ',':
		return nil, false, nil, errors.New("the length of a string is not a number and a comma")
	case len(body)-i-1 < n:
		return nil, false, nil, errShort
	}
	return body[i+1 : i+1+n], body[0] == '0', body[i+1+n:], nil
}

// client makes a packet of its strings.
func client(strings [][]byte) (upstream, error) {
	if len(strings) < 2 {
		return upstream{}, errors.New("a packet without a name")
	}
	p := upstream{name: string(strings[1])}
	id, err := strconv.ParseUint(string(strings[0]), 10, 53)
	if err != nil || id == 0 || strings[0][0] == '0' {
		return p, errors.New("the id of a packet is no number from 1 to 2^53-1")
	}
	p.id = id
	switch p.name {
	case "data":
		if len(strings) != 3 {
			return p, errors.New("a data packet without data")
		}
		p.text = strings[2]
	case "ping", "close":
	default:
		return p, errors.New("a packet that is none of data, ping and close")
	}
	return p, nil
}
