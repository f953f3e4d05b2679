package cspdraft

import (
	"slices"
	"strings"
	"testing"
)

// FuzzVariables: whatever a query says, the text around answers is one of the strings
// there are, or a name.
func FuzzVariables(f *testing.F) {
	for _, seed := range []string{
		"d={}&n=0.69&rs=;&rp=cb0", "s=n0.x&a=7&du=0&is=1&i=1&ps=8&se=1", "bp=%3Cscript%3Eb&bs=;%3C/script%3E&ct=text/html",
		"rp=a..b", "rp=alert(1)", "ct=image/png", "du=99999999999", "a=-1&a=%", "=&&=;&%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q := request{variables: defaults}
		q.parse(query)
		if q.over(defaults) != nil {
			if q.variables != defaults {
				t.Errorf("%q is refused and has an effect: %+v", query, q.variables)
			}
			return
		}
		v := q.variables
		for _, prefix := range []string{v.requestPrefix, v.batchPrefix} {
			if !isCallback(prefix) && !slices.Contains(batchStarts, prefix) || strings.ContainsAny(prefix, "()\"'\\\r\n&") {
				t.Errorf("%q makes the prefix %q", query, prefix)
			}
		}
		if !slices.Contains(suffixes, v.requestSuffix) || !slices.Contains(batchEnds, v.batchSuffix) || !slices.Contains(preambles, v.preamble) || contentTypes[v.contentType] == "" {
			t.Errorf("%q makes %+v", query, v)
		}
		if v.duration < 0 || v.duration > maxSeconds*1e9 || v.interval < 0 || v.interval > maxSeconds*1e9 || v.prebuffer < 0 || v.prebuffer > maxPrebuffer {
			t.Errorf("%q makes the numbers %+v", query, v)
		}
	})
}

// FuzzLine: the target of a stream does not depend on how that is cut, and there is one only
// if there is a line.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{"b.test:7\nhello", "[2001:db8::1]:7\n", "192.0.2.1:7\n\n", "nonsense\n", ":\n", strings.Repeat("x", 301)} {
		f.Add(seed, len(seed)/2)
	}
	f.Fuzz(func(t *testing.T, in string, at int) {
		at = min(max(at, 0), len(in))
		one, two := target(in), target(in[:at], in[at:])
		if one != two {
			t.Errorf("%q whole: %q, cut at %d: %q", in, one, at, two)
		}
		if strings.Contains(one, " + ") && !strings.Contains(in, "\n") {
			t.Errorf("%q has the target %q", in, one)
		}
	})
}

// target returns the target that pieces name and what is behind it.
func target(pieces ...string) string {
	var l line
	for i, p := range pieces {
		dest, rest, done, err := l.read([]byte(p))
		if err != nil {
			return "refused"
		}
		if done {
			return dest.String() + " + " + string(rest) + strings.Join(pieces[i+1:], "")
		}
	}
	return ""
}
