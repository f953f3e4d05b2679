package transports

import (
	"net/http"
	"regexp"

	"encke/cause"
	"encke/csp"
)

// jsonp answers script tags: a call of the page's callback with the number of the
// request and one batch. A client forgets a request after 45 s; the hold of at
// most 60 s sees to it that every request is answered.
type jsonp struct{}

var (
	callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*){0,4}$`)
	sequence     = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
)

func (jsonp) header(head http.Header, p page) error {
	q := p.r.URL.Query()
	if name := q.Get("callback"); len(name) > 64 || !callbackName.MatchString(name) {
		return cause.ProtocolError.With("callback is not a name")
	}
	if !sequence.MatchString(q.Get("seq")) {
		return cause.ProtocolError.With("seq is not a number")
	}
	head.Set("Content-Type", "text/javascript; charset=utf-8")
	head.Set("Content-Disposition", `attachment; filename="f.txt"`)
	return nil
}

func (jsonp) open(dst []byte, p page) []byte {
	q := p.r.URL.Query()
	dst = append(dst, "/**/"...)
	dst = append(dst, q.Get("callback")...)
	dst = append(dst, '(')
	return append(dst, q.Get("seq")...)
}

func (jsonp) batch(dst []byte, b *csp.Batch) []byte {
	dst = append(dst, ',')
	dst = csp.Text.Append(dst, b)
	return append(dst, ");"...)
}

func (jsonp) limits() (int, int) { return 64 << 10, 0 }

// quiet: a script with another status than 200 is not run.
func (jsonp) quiet() bool { return true }
