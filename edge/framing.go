package edge

import "strconv"

// Limits of the head of an HTTP/1 request.
const (
	MaxRequestLine = 8 << 10  // bytes, without its end
	MaxHead        = 16 << 10 // bytes, all lines
	MaxFields      = 64
)

type state uint8

const (
	inMethod state = iota // the first byte of a message is met here
	inTarget
	inVersion
	inLineEnd // behind CR
	inField   // at the first byte of a line
	inName
	inValue
	inHeadEnd // behind the CR of the empty line
	inBody
	inChunkSize
	inChunkSizeEnd
	inChunk
	inChunkEnd
	inChunkLF
	inLastCR
	inLastLF
	inUpgrade // behind the head of a request that asks for one
)

// framing follows the bytes of one connection from client to server and says where
// requests end. It takes a strict subset of what net/http takes and agrees with it on
// that, so that both see the same requests. The zero value is at the begin of a
// connection.
type framing struct {
	state state
	left  int64 // bytes of the body or chunk to come

	// Of the head under way.
	size, fields int
	name         [20]byte // of the method, version or field, as far as it fits
	nameLen      int
	value        [24]byte // of a field that is looked at; without space around it
	valueLen     int
	space        int // at the end of value, left out so far
	kind         kind
	hosts        int
	lengths      int
	codings      int
	length       int64
	upgrade      bool
	old          bool // HTTP/1.0
}

// kind is a header field that is looked at.
type kind uint8

const (
	other kind = iota
	host
	contentLength
	transferEncoding
	upgrade
)

// between says that no byte of a request has come that is not complete.
func (f *framing) between() bool { return f.state == inMethod && f.size == 0 }

// inHead says that a head has begun and is not complete.
func (f *framing) inHead() bool { return f.state < inBody && !f.between() }

// scan takes the next bytes and returns how many of them belong to the message under
// way: those behind its end, or its head if it asks for an upgrade, are to be given
// again. At a fault that is the number of good bytes, and nothing more may be given.
func (f *framing) scan(p []byte) (int, *fault) {
	for i := 0; i < len(p); i++ {
		if f.state == inBody || f.state == inChunk {
			n := int(min(int64(len(p)-i), f.left))
			f.left -= int64(n)
			i += n
			if f.left > 0 {
				return i, nil
			}
			if f.state == inBody {
				f.next()
				return i, nil
			}
			f.state = inChunkEnd
			i--
			continue
		}
		if f.state < inBody {
			if f.size++; f.size > MaxHead {
				return i, longHead
			}
		}
		done, err := f.step(p[i])
		if err != nil {
			return i, err
		}
		if done {
			return i + 1, nil
		}
	}
	return len(p), nil
}

// next prepares for the next message.
func (f *framing) next() { *f = framing{} }

// step takes one byte and reports whether the message has ended with it.
func (f *framing) step(c byte) (done bool, err *fault) {
	switch f.state {
	case inMethod:
		switch {
		case c == ' ' && f.size > 1:
			if string(f.name[:f.size-1]) == "CONNECT" {
				return false, badTarget
			}
			f.state, f.left = inTarget, 0
		case !token[c] || f.size > len(f.name):
			return false, badLine
		default:
			f.name[f.size-1] = c
		}
	case inTarget:
		f.left++
		switch {
		case f.left == 1 && c != '/':
			return false, badTarget
		case c == ' ':
			f.state, f.left = inVersion, 0
		case c <= ' ' || c >= 0x7f:
			return false, badLine
		case f.size > MaxRequestLine-len(" HTTP/1.1"):
			return false, longLine
		}
	case inVersion:
		if c != '\r' {
			if f.nameLen == len("HTTP/1.1") {
				return false, badLine
			}
			f.name[f.nameLen] = c
			f.nameLen++
			return false, nil
		}
		switch string(f.name[:f.nameLen]) {
		case "HTTP/1.1":
		case "HTTP/1.0":
			f.old = true
		default:
			return false, badLine
		}
		f.state = inLineEnd
	case inLineEnd:
		if c != '\n' {
			return false, badEnd
		}
		f.state = inField
	case inField, inName, inValue:
		return false, f.field(c)
	case inHeadEnd:
		if c != '\n' {
			return false, badEnd
		}
		return f.headEnd()
	default:
		return f.chunk(c)
	}
	return false, nil
}

// field takes one byte of a header field.
func (f *framing) field(c byte) *fault {
	switch {
	case f.state == inField && c == '\r':
		f.state = inHeadEnd
	case f.state == inField:
		if f.fields++; f.fields > MaxFields {
			return manyFields
		}
		f.state, f.nameLen, f.valueLen, f.space = inName, 0, 0, 0
		fallthrough
	case f.state == inName:
		if c == ':' && f.nameLen > 0 {
			f.state = inValue
			return f.known()
		}
		if !token[c] { // a space before the colon, or a folded line
			return badField
		}
		if f.nameLen < len(f.name) {
			f.name[f.nameLen] = lower(c)
			f.nameLen++
		}
	case c == '\r':
		f.state = inLineEnd
		return f.valueEnd()
	case c == '\n':
		return badEnd
	case c < ' ' && c != '\t' || c == 0x7f:
		return badField
	case f.kind == contentLength || f.kind == transferEncoding:
		return f.keep(c)
	}
	return nil
}

// known looks at the name of a field.
func (f *framing) known() *fault {
	f.kind = other
	switch string(f.name[:f.nameLen]) {
	case "host":
		f.kind = host
		if f.hosts++; f.hosts > 1 {
			return badHost
		}
	case "content-length":
		f.kind = contentLength
		f.lengths++
	case "transfer-encoding":
		f.kind = transferEncoding
		f.codings++
	case "upgrade":
		f.upgrade = true
	}
	if f.lengths+f.codings > 1 {
		return twoLengths
	}
	return nil
}

// keep adds a byte to the value that is looked at.
func (f *framing) keep(c byte) *fault {
	if c == ' ' || c == '\t' {
		if f.valueLen > 0 {
			f.space++
		}
		return nil
	}
	if f.space > 0 || f.valueLen == len(f.value) {
		if f.kind == contentLength {
			return badLength
		}
		return badCoding
	}
	f.value[f.valueLen] = lower(c)
	f.valueLen++
	return nil
}

// valueEnd takes a complete value.
func (f *framing) valueEnd() *fault {
	value := string(f.value[:f.valueLen])
	switch f.kind {
	case contentLength:
		n, err := strconv.ParseUint(value, 10, 63) // digits alone
		if err != nil {
			return badLength
		}
		f.length = int64(n)
	case transferEncoding:
		if value != "chunked" {
			return badCoding
		}
	}
	return nil
}

// headEnd decides what follows the head.
func (f *framing) headEnd() (done bool, err *fault) {
	switch {
	case f.hosts == 0 && !f.old:
		return false, badHost
	case f.codings > 0 && f.old:
		return false, badCoding
	case f.upgrade && (f.codings > 0 || f.length > 0):
		return false, badUpgrade
	case f.upgrade:
		f.state = inUpgrade
		return true, nil
	case f.codings > 0:
		f.state, f.left, f.size = inChunkSize, 0, 0
		return false, nil
	case f.length > 0:
		f.state, f.left = inBody, f.length
		return false, nil
	}
	f.next()
	return true, nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// token has the bytes of methods and field names (RFC 9110 section 5.6.2).
var token = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()
