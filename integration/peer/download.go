package peer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"encke/csp"
)

// url returns where a request goes, with the variables that it needs beside its records.
func (p *Peer) url(path, node string, downlink bool) string {
	q := url.Values{}
	if node != "" {
		q.Set("node", node)
	}
	if downlink && p.opts.Hold > 0 {
		q.Set("hold", strconv.Itoa(int(p.opts.Hold/time.Second)))
	}
	u := p.opts.Base + "/session/" + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	return u
}

// request makes a request that carries records behind the hello. seq is what the answer
// of a script must repeat.
func (c *carrier) request(ctx context.Context, path string, records []byte) (r *http.Request, seq string, err error) {
	hello, node := c.p.hello()
	body := append(hello, records...)
	u := c.p.url(path, node, path != c.how.send)
	if !c.how.get || path == "send" {
		r, err = http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(body))
		if err != nil {
			return nil, "", err
		}
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("Origin", c.p.opts.Origin)
		return r, "", nil
	}
	r, err = http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, "", err
	}
	q := r.URL.Query()
	q.Set("d", base64.RawURLEncoding.EncodeToString(body))
	if c.how.name == "jsonp" {
		seq = strconv.Itoa(rand.IntN(1_000_000_000))
		q.Set("callback", callback)
		q.Set("seq", seq)
	}
	r.URL.RawQuery = q.Encode()
	if c.how.name == "eventsource" {
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Origin", c.p.opts.Origin)
	} else { // browsers say no origin with scripts and frames
		r.Header.Set("Referer", c.p.opts.Origin+"/page")
	}
	return r, seq, nil
}

// download runs one downlink from its request to its end. It reports whether the proxy
// answered. With doubt a poll asks for an answer at once. A nil error means that the
// answer ended as it should.
func (c *carrier) download(doubt bool) (answered bool, err error) {
	p := c.p
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	var records []byte
	if c.how.poll && doubt && p.ID() != "" {
		records = []byte{byte(csp.Ping)}
	}
	r, seq, err := c.request(ctx, c.how.name, records)
	if err != nil {
		return false, err
	}
	silence := p.opts.Answer
	if c.how.poll && records == nil && p.ID() != "" {
		silence = c.silence()
	}
	dead := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer dead.Stop()
	resp, err := p.http.Do(r)
	if err != nil {
		return false, errors.Join(err, context.Cause(ctx))
	}
	defer resp.Body.Close()
	if c.how.poll || resp.StatusCode != http.StatusOK {
		return c.answer(resp, seq)
	}
	in := reader{how: c.how}
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			dead.Reset(c.silence())
			records, bad := in.feed(buf[:n])
			if bad != nil {
				return answered, fmt.Errorf("%s: something on the way changed the data: %w", c.how.name, bad)
			}
			if !answered && len(records) > 0 && records[0].Kind != csp.Close {
				answered = true
				p.linked()
			}
			if err := c.take(records, false); err != nil {
				return answered, err
			}
		}
		switch {
		case err == io.EOF && answered:
			return true, nil
		case err != nil:
			return answered, errors.Join(err, context.Cause(ctx))
		}
	}
}

var errSilent = errors.New("silent for too long")

// answer takes an answer that is used whole: of a poll, or a refusal.
func (c *carrier) answer(resp *http.Response, seq string) (answered bool, err error) {
	records, err := c.whole(resp, c.how, seq)
	if err != nil {
		return false, err
	}
	if len(records) == 0 { // displaced
		return false, errors.New("empty answer")
	}
	if records[0].Kind != csp.Close {
		answered = true
		c.p.linked()
	}
	return answered, c.take(records, true)
}

// whole reads an answer that must be complete to be used. With a status other than 200
// only what ends the session counts.
func (c *carrier) whole(resp *http.Response, how how, seq string) ([]csp.Record, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if seq != "" && !bytes.HasPrefix(body, []byte("/**/"+callback+"("+seq+",")) {
		return nil, fmt.Errorf("%s: status %d, no answer to this script", how.name, resp.StatusCode)
	}
	in := reader{how: how}
	records, err := in.whole(body)
	if resp.StatusCode == http.StatusOK {
		return records, err
	}
	if err == nil && len(records) == 1 && records[0].Kind == csp.Close {
		return records, nil
	}
	return nil, fmt.Errorf("%s: status %d", how.name, resp.StatusCode)
}
