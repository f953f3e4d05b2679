package hostile

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"encke/csp"
)

// request is one HTTP request as it goes over the wire. Nothing is escaped, completed or
// checked, but for the length of a body.
type request struct {
	method string
	target string   // path and query
	fields []string // "Name: value", in order
	body   string   // with a Content-Length, unless fields say how long it is
	behind string   // what follows the request on the connection
}

func (q request) bytes() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", q.method, q.target)
	for _, f := range q.fields {
		b.WriteString(f + "\r\n")
	}
	if !q.has("Content-Length") && !q.has("Transfer-Encoding") && (q.body != "" || q.method == http.MethodPost) {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(q.body))
	}
	return []byte(b.String() + "\r\n" + q.body + q.behind)
}

func named(name string) func(string) bool {
	return func(f string) bool {
		n, _, _ := strings.Cut(f, ":")
		return strings.EqualFold(n, name)
	}
}

func (q request) has(name string) bool { return slices.ContainsFunc(q.fields, named(name)) }

// without leaves out all fields of this name.
func (q request) without(name string) request {
	q.fields = slices.DeleteFunc(slices.Clone(q.fields), named(name))
	return q
}

// with sets a field in the place where it was, or first.
func (q request) with(name, value string) request {
	at := max(0, slices.IndexFunc(q.fields, named(name)))
	q = q.without(name)
	q.fields = slices.Insert(q.fields, at, name+": "+value)
	return q
}

// adding appends a field as it is, also one that is there already.
func (q request) adding(field string) request {
	q.fields = append(slices.Clone(q.fields), field)
	return q
}

// query appends to the query as it is.
func (q request) query(text string) request {
	q.target += "&" + text
	return q
}

// replacing sets a variable of the query that is there already.
func (q request) replacing(name, value string) request {
	path, query, _ := strings.Cut(q.target, "?")
	all := strings.Split(query, "&")
	for i, v := range all {
		if strings.HasPrefix(v, name+"=") {
			all[i] = name + "=" + value
		}
	}
	q.target = path + "?" + strings.Join(all, "&")
	return q
}

// chunked sends the body in chunks of at most n bytes.
func (q request) chunked(n int) request {
	var b strings.Builder
	for rest := q.body; rest != ""; {
		piece := rest[:min(n, len(rest))]
		rest = rest[len(piece):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	q.body = b.String() + "0\r\n\r\n"
	return q.adding("Transfer-Encoding: chunked")
}

// many are n header fields.
func many(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("X-%d: e", i))
	}
	return all
}

// Records as pages send them.

var keys atomic.Uint64 // how many were used

// fresh is NEW with a key that was not used before.
func fresh() string {
	var key csp.Key
	binary.BigEndian.PutUint64(key[:], keys.Add(1))
	return record(csp.Record{Kind: csp.New, Version: csp.Version, Key: key})
}

func resume(id string, ack uint64) string {
	return record(csp.Record{Kind: csp.Resume, Session: []byte(id), ID: ack})
}

func record(r csp.Record) string { return string(r.Append(nil)) }

func seq(id uint64) string { return record(csp.Record{Kind: csp.Seq, ID: id}) }

func data(p string) string { return record(csp.Record{Kind: csp.Data, Data: []byte(p)}) }

func uvarint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

func base64url(p string) string { return base64.RawURLEncoding.EncodeToString([]byte(p)) }

// frame is one masked WebSocket frame (RFC 6455 section 5.2) with an all-zero mask.
func frame(opcode byte, payload string) string {
	head := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	return string(append(head, 0, 0, 0, 0)) + payload
}

// goodbye is a close frame with code 1000.
var goodbye = frame(8, "\x03\xe8")
