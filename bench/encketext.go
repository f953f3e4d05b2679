package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
)

// textBatch reads batches of the text encoding (csp/PROTOCOL.md section 4) as far as they
// occur here: what carries frames is never all printable, so packets are base64.
type textBatch struct {
	arrived func(size int)
	session string
	last    uint64 // id of the last packet
}

// append appends the content of a batch's packets to out.
func (t *textBatch) append(out, batch []byte) ([]byte, error) {
	rest := batch[1:]
	for {
		rest = bytes.TrimPrefix(rest, []byte(","))
		if len(rest) == 0 || rest[0] == ']' {
			return out, nil
		}
		if len(rest) < 4 || rest[0] != '[' {
			return out, fmt.Errorf("encke: malformed batch %.80q", batch)
		}
		var err error
		if rest[1] == '"' {
			rest, err = t.control(rest)
		} else {
			out, rest, err = t.packet(out, rest)
		}
		if err != nil {
			return out, err
		}
	}
}

// control takes an item that begins with a word.
func (t *textBatch) control(rest []byte) ([]byte, error) {
	end := bytes.IndexByte(rest, ']')
	if end < 0 {
		return nil, fmt.Errorf("encke: malformed item %.80q", rest)
	}
	item := rest[:end]
	if after, ok := bytes.CutPrefix(item, []byte(`["welcome","`)); ok {
		id, _, _ := bytes.Cut(after, []byte(`"`))
		t.session = string(id)
	}
	if bytes.HasPrefix(item, []byte(`["close"`)) {
		return nil, fmt.Errorf("encke: session closed: %s", item)
	}
	return rest[end+1:], nil
}

// packet takes [id,1,"base64"].
func (t *textBatch) packet(out, rest []byte) ([]byte, []byte, error) {
	comma := bytes.IndexByte(rest, ',')
	if comma < 0 {
		return out, nil, fmt.Errorf("encke: malformed packet %.80q", rest)
	}
	id, err := strconv.ParseUint(string(rest[1:comma]), 10, 53)
	if err != nil || id != t.last+1 {
		return out, nil, fmt.Errorf("encke: packet %d came, %d was expected (%v)", id, t.last+1, err)
	}
	t.last = id
	after, ok := bytes.CutPrefix(rest[comma:], []byte(`,1,"`))
	end := bytes.IndexByte(after, '"')
	if !ok || end < 0 || len(after) < end+2 {
		if bytes.HasPrefix(rest[comma:], []byte(",0,null]")) {
			return out, nil, io.EOF
		}
		return out, nil, fmt.Errorf("encke: packet %.80q is not base64", rest)
	}
	at := len(out)
	if out, err = base64.RawURLEncoding.AppendDecode(out, after[:end]); err != nil {
		return out, nil, err
	}
	t.arrived(len(out) - at)
	return out, after[end+2:], nil
}
