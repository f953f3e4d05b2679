package cspdraft

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// callback reports whether a prefix, which is one of the accepted ones, is a callback.
func callback(prefix string) bool {
	_, listed := one(batchStarts, prefix)
	return !listed
}

// head sets the headers that depend on the variables. prefix is what precedes the answer.
func head(h http.Header, v *variables, prefix, origin string) {
	h.Set("Content-Type", contentTypes[v.contentType])
	switch {
	case callback(prefix):
		if v.contentType != "application/javascript" {
			h.Set("Content-Type", contentTypes["text/javascript"])
		}
		h.Set("Content-Disposition", `attachment; filename="f.txt"`)
	case v.contentType != "text/html":
	case prefix == iframeStart:
		if origin == "null" {
			origin = "'none'"
		}
		// What is between the scripts is ours; the calls of b differ, so that no hash
		// can allow them.
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors "+origin)
	default:
		h.Set("Content-Type", contentTypes["text/plain"])
	}
}

// guarded is what precedes a callback, so that an answer is never a file of another kind
// that begins with letters of the client's choice.
func guarded(dst []byte, prefix string) []byte {
	if callback(prefix) {
		dst = append(dst, "/**/"...)
	}
	return dst
}

// answer answers handshake, send and close. json is a constant, or holds an id of ours.
func (a *adapter) answer(w http.ResponseWriter, q *request, origin string, status int, json string) {
	head(w.Header(), &q.variables, q.requestPrefix, origin)
	out := guarded(nil, q.requestPrefix)
	out = append(out, q.requestPrefix...)
	out = append(out, '(')
	out = append(out, json...)
	out = append(out, ')')
	out = append(out, q.requestSuffix...)
	a.write(w, status, out)
}

// begin appends what a comet answer begins with.
func begin(dst []byte, v *variables) []byte {
	dst = guarded(dst, v.batchPrefix)
	dst = append(dst, bytes.Repeat([]byte{' '}, v.prebuffer)...)
	return append(dst, v.preamble...)
}

// batch appends a batch. last is the highest id that the client has or was sent; the end of a
// session takes the one behind it. It returns the new last.
func batch(dst []byte, v *variables, b *csp.Batch, last uint64) ([]byte, uint64) {
	if n := len(b.Packets); n > 0 {
		last = b.First + uint64(n) - 1
	}
	dst = append(dst, v.batchPrefix...)
	dst = append(dst, '(')
	if b.Close != nil {
		last++
		dst = append(dst, "[["...)
		dst = strconv.AppendUint(dst, last, 10)
		dst = append(dst, ",0,null]]"...)
	} else {
		dst = csp.Text.Append(dst, &csp.Batch{First: b.First, Packets: b.Packets})
	}
	dst = append(dst, ')')
	dst = append(dst, v.batchSuffix...)
	if v.sse && (len(b.Packets) > 0 || b.Close != nil) {
		dst = append(dst, "id: "...)
		dst = strconv.AppendUint(dst, last, 10)
		dst = append(dst, "\r\n"...)
	}
	if v.sse {
		dst = append(dst, "\r\n"...) // the draft forgets this line, without which there is no event
	}
	return dst, last
}

// batchOnly answers comet with one batch.
func (a *adapter) batchOnly(w http.ResponseWriter, q *request, origin string, b *csp.Batch) {
	head(w.Header(), &q.variables, q.batchPrefix, origin)
	out, _ := batch(begin(nil, &q.variables), &q.variables, b, q.ack)
	a.write(w, http.StatusOK, out)
}

func (a *adapter) write(w http.ResponseWriter, status int, out []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(status)
	_ = a.p.Handler.Write(w, out, false) // who does not take it asks again
}

// refuse answers with a cause. Clients evaluate every answer, so it is a string of
// JavaScript, and constant.
func (a *adapter) refuse(w http.ResponseWriter, err error) {
	why := cause.Internal.Err()
	errors.As(err, &why)
	if why.Retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(why.Retry))
	}
	a.text(w, transports.Status(err), `"`+why.Code.String()+`"`)
}

func (a *adapter) text(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", contentTypes["text/plain"])
	a.write(w, status, []byte(text))
}
