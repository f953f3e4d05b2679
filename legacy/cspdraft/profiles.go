package cspdraft

import (
	"regexp"
	"slices"
)

// The draft lets a request choose text that is put around each answer. Any text would
// make the proxy's origin say what a stranger wants, so only what the draft's transports
// need is taken: the strings of these lists, and names of callbacks.
var (
	suffixes    = []string{"", ";"}
	batchStarts = []string{"", sseStart, iframeStart}
	batchEnds   = []string{"", ";", "\n", "\r\n", ";</script>"}
	preambles   = []string{"", iframePreamble}
)

const (
	sseStart       = "data: "
	iframeStart    = "<script>b"
	iframePreamble = "<html><body><script>function b(p){parent.receivedPackets(p)}</script>"
)

// contentTypes are the types an answer may have, by the names that requests use. The
// draft's default is text/html; only the iframe transport gets it, see contentType.
var contentTypes = map[string]string{
	"text/html":                "text/html; charset=utf-8",
	"text/plain":               "text/plain; charset=utf-8",
	"text/javascript":          "text/javascript; charset=utf-8",
	"application/javascript":   "application/javascript; charset=utf-8",
	"application/json":         "application/json",
	"text/event-stream":        "text/event-stream",
	"application/octet-stream": "application/octet-stream",
}

var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*){0,4}$`)

func isCallback(s string) bool { return len(s) <= 64 && callbackName.MatchString(s) }

// one returns the string of the list that equals s.
func one(list []string, s string) (string, bool) {
	i := slices.Index(list, s)
	if i < 0 {
		return "", false
	}
	return list[i], true
}
