package wsframes

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Sequences of the UTF-8 decoder stress test and of Unicode's tables.
var valid = []string{
	"", "Hello", "\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1", "\u03ba\u1f79\u03c3\u03bc\u03b5", "\x00", "\x7f",
	"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\ufeff", "\u2028",
	"\U00010000", "\U0001f604", "\U0001ffff", "\U0002fffe", "\U0010ffff", "a\u0300", strings.Repeat("\u20ac", 200), strings.Repeat("\U0001f604", 300), strings.Repeat("x", 511) + "\u20ac",
}

var invalid = []string{
	"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80\xbf\x80\xbf", "\xc0", "\xc1", "\xf5", "\xf8", "\xfc", "\xfe", "\xff", "\xfe\xfe\xff\xff",
	"\xc2 ", "\xdf ", "\xe0 ", "\xef ", "\xf0 ", "\xf4 ",
	"\xc2", "\xdf", "\xe0", "\xe0\xa0", "\xef\xbf", "\xf0", "\xf0\x90", "\xf0\x90\x80", "\xf4\x8f\xbf",
	"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf",
	"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf",
	"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
	"\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
	"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf",
	"\xed\xa0\x80\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
	"\u03ba\u1f79\u03c3\u03bc\u03b5\xed\xa0\x80edited", "\u03ba\u1f79\u03c3\u03bc\u03b5\xf4\x90\x80\x80edited", "ok\xff", strings.Repeat("x", 511) + "\xe2\x82", strings.Repeat("\u20ac", 500) + "\xe2\x28\xa1",
}

// Links carry binary messages only. A text message that is UTF-8 is data of a type
// the proxy cannot accept (1003), one that is not is no text message at all (1007).
func TestText(t *testing.T) {
	var all []trial
	for _, set := range []struct {
		name  string
		texts []string
		code  int
	}{{"valid", valid, 1003}, {"invalid", invalid, 1007}} {
		for i, s := range set.texts {
			all = append(all,
				trial{name: fmt.Sprintf("%s %d", set.name, i), wire: frame(fin|text, s), code: set.code},
				trial{name: fmt.Sprintf("%s %d in fragments of a byte", set.name, i), wire: fragments(text, s, 1), code: set.code},
			)
			if i%3 == 0 {
				all = append(all, trial{name: fmt.Sprintf("%s %d a byte at a time", set.name, i), wire: frame(fin|text, s), chop: 1, code: set.code})
			}
		}
	}
	all = append(all,
		trial{name: "text behind a message", wire: slices.Concat(frame(fin|binaryData, forSocket("kept")), frame(fin|text, forSocket("not"))), code: 1003, echo: []string{"kept"}},
		trial{name: "invalid in the first of endless fragments", wire: slices.Concat(frame(text, "\xff"), frame(continuation, "x")), code: 1007},
		trial{name: "surrogate seen at its second byte", wire: frame(text, "\xed\xa0"), code: 1007},
		trial{name: "too large seen at its second byte", wire: frame(text, "\xf4\x90"), code: 1007},
		trial{name: "ping inside text", wire: slices.Concat(frame(text, "\xe2\x82"), frame(fin|ping, "in"), frame(fin|continuation, "\xac")), pongs: []string{"in"}, code: 1003},
		trial{name: "binary that is no UTF-8", wire: frame(fin|binaryData, forSocket("\xff\xfe")), echo: []string{"\xff\xfe"}},
		trial{name: "large text", wire: frame(fin|text, strings.Repeat("\u20ac", 300_000)), code: 1003},
		trial{name: "large text, wrong at the end", wire: frame(fin|text, strings.Repeat("\u20ac", 300_000)+"\xe2"), code: 1007},
	)
	play(t, all)
}
