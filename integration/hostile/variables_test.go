package hostile

import (
	"net/url"
	"strings"
	"testing"

	"encke/cause"
)

// noNumbers are what a number must not be, escaped for a query.
func noNumbers() []struct{ name, value string } {
	return []struct{ name, value string }{
		{"NaN", "NaN"}, {"infinite", "Infinity"}, {"minus infinite", "-Infinity"},
		{"negative", "-1"}, {"minus zero", "-0"}, {"with a plus", "%2B5"}, {"a space", "+"}, {"a space before", "+5"}, {"a space behind", "5+"},
		{"an exponent", "1e1"}, {"a negative exponent", "10e-1"}, {"a fraction", "1.5"}, {"a fraction of zero", "1.0"}, {"a comma", "1,5"},
		{"hex", "0x10"}, {"octal", "0o10"}, {"binary", "0b1"}, {"underscores", "1_0"},
		{"above 64 bits", "18446744073709551617"}, {"above 63 bits", "9223372036854775808"}, {"400 digits", strings.Repeat("9", 400)},
		{"an array", "[5]"}, {"an object", "%7B%7D"}, {"true", "true"}, {"null", "null"}, {"undefined", "undefined"},
		{"full-width digits", url.QueryEscape("５")}, {"Arabic digits", url.QueryEscape("٥")}, {"a superscript", url.QueryEscape("5²")},
		{"a NUL behind", "5%00"}, {"a line end behind", "5%0d%0aX-eViL:1"}, {"a line feed before", "%0a5"}, {"text", "eViL"}, {"code", "5;eViL()"},
		{"markup", "5%3Cscript%3EeViL"}, {"a closing bracket", "5)%3BeViL("},
	}
}

// wrongVariables are requests with variables that are not of the form that the protocol
// gives them.
func wrongVariables(_ *testing.T, r *rig) (all []attack) {
	for _, e := range those(func(e endpoint) bool { return !e.ws() }) {
		values := append(noNumbers(), []struct{ name, value string }{{"zero", "0"}, {"61", "61"}, {"256 more than 5", "261"}, {"65536", "65536"}}...)
		for _, v := range values {
			q := e.plain(r, fresh()).replacing("hold", v.value)
			want := e.refusal(400, cause.ProtocolError, "hold must be 1 to 60 seconds")
			if strings.Contains(v.value, ";") { // a query with a semicolon has no variable there
				continue
			}
			all = append(all, attack{name: e.name + ": hold is " + v.name, request: q, want: want})
		}
	}
	seq := answer{status: 400, body: "protocol-error: seq is not a number\n"}
	for _, e := range those(endpoint.script) {
		values := append(noNumbers(), []struct{ name, value string }{{"absent", ""}, {"zeros before", "007"}, {"ten digits", "1000000000"}, {"2^53", "9007199254740992"}}...)
		for _, v := range values {
			all = append(all, attack{name: e.name + ": seq is " + v.name, request: e.plain(r, fresh()).replacing("seq", v.value), want: seq})
		}
		for _, other := range []string{"SEQ=1", "seq[]=1", "seq%00=1", "%20seq=1", "seq%5B0%5D=1"} {
			q := e.plain(r, fresh())
			q.target = strings.Replace(q.target, "seq=1", other, 1)
			all = append(all, attack{name: e.name + ": " + other + " for seq", request: q, want: seq})
		}
	}
	return all
}

// wrongCallbacks are names that would make a script of ours do more than call a function.
func wrongCallbacks(_ *testing.T, r *rig) (all []attack) {
	want := answer{status: 400, body: "protocol-error: callback is not a name\n"}
	for _, e := range those(endpoint.script) {
		for _, v := range []struct{ name, value string }{
			{"absent", ""}, {"a call", "eViL()"}, {"an expression", "eViL-1"}, {"an assignment", "a=eViL"}, {"a statement before", "eViL;f"}, {"two statements", "a%3BeViL"},
			{"a comment", "/*eViL*/f"}, {"an open comment", "/*"}, {"a line comment", "//eViL"}, {"HTML comment", "%3C!--"},
			{"markup", "%3Cscript%3EeViL%3C/script%3E"}, {"an end tag", "f%3C/script%3E"}, {"a quote", "'"}, {"a double quote", "%22"}, {"a template", "%60eViL%60"},
			{"an index", "a[0]"}, {"a string index", "a['eViL']"}, {"new", "new+Image"}, {"void", "void+0"}, {"an arrow", "()=%3EeViL"}, {"optional chaining", "a?.b"},
			{"a digit first", "1f"}, {"a digit behind a dot", "a.1"}, {"a dot first", ".a"}, {"a dot last", "a."}, {"two dots", "a..b"}, {"only a dot", "."},
			{"six parts", "a.b.c.d.e.f"}, {"65 bytes", strings.Repeat("a", 65)}, {"10 kilobytes, but for some", strings.Repeat("eViL", 1500)},
			{"a line feed", "f%0aeViL"}, {"a line feed behind", "f%0a"}, {"a return", "f%0d"}, {"header injection", "f%0d%0aX-eViL:%201%0d%0a%0d%0aeViL"}, {"a NUL", "f%00"}, {"a line separator", "f%E2%80%A8"},
			{"a non-ASCII letter", "%C3%A9"}, {"an escape", "%5Cu0061"}, {"a Cyrillic letter", "%D0%B0lert"}, {"a full-width letter", "%EF%BD%81"}, {"a zero-width joiner", "a%E2%80%8Db"},
			{"bytes that are not UTF-8", "f%ff"}, {"a space behind", "f+"}, {"a hash", "%23a"}, {"an at sign", "@a"}, {"a percent sign", "%25"}, {"twice escaped", "%2566"},
			{"Flash", "CWSeViL%07%00"}, {"a colon", "a:b"}, {"JSON", "%7B%22a%22:1%7D"}, {"a plus", "a%2Bb"}, {"a UTF-16 mark", "%FE%FFf"}, {"a UTF-8 mark", "%EF%BB%BFf"},
		} {
			if strings.Contains(v.value, ";") {
				v.name += ", raw semicolon"
			}
			all = append(all, attack{name: e.name + ": callback is " + v.name, request: e.plain(r, fresh()).replacing("callback", v.value), want: want})
		}
		for _, other := range []string{"callback[]=f", "Callback=f", "jsonp=f", "callback%00=f", "cb=f"} {
			q := e.plain(r, fresh())
			q.target = strings.Replace(q.target, "callback=f", other, 1)
			all = append(all, attack{name: e.name + ": " + other + " for callback", request: q, want: want})
		}
	}
	return all
}

// wrongBase64 are records in a query that are not in the one alphabet without padding.
func wrongBase64(_ *testing.T, r *rig) (all []attack) {
	for _, e := range those(func(e endpoint) bool { return e.get }) {
		good := e.plain(r, fresh())
		d := base64url(fresh()) // 18 bytes: 24 characters
		alphabet := e.refusal(400, cause.ProtocolError, "d is not URL-safe base64 without padding")
		for _, v := range []struct{ name, value string }{
			{"the other alphabet's plus", "%2B" + d[1:]}, {"the other alphabet's slash", "/" + d[1:]}, {"a plus that is a space", "+" + d[1:]},
			{"padding where none is due", d + "=="}, {"one padding", d[:23] + "="}, {"padding in the middle", d[:8] + "==" + d[8:]}, {"only padding", "===="},
			{"a single character", "A"}, {"a character too many", d + "A"}, {"bits behind the end", base64url("\x01\x01" + strings.Repeat("\x07", 15))[:22] + "B"},
			{"a line feed", d[:8] + "%0a" + d[8:]}, {"a return", d[:8] + "%0d" + d[8:]}, {"a line end behind", d + "%0d%0a"}, {"a line feed first", "%0a" + d},
			{"a space", d[:8] + "%20" + d[8:]}, {"a tab", d + "%09"}, {"a NUL", d + "%00"}, {"a comma", d + ","}, {"a percent sign", "%25" + d[1:]},
			{"a dot", d[:4] + "." + d[5:]}, {"a tilde", "~" + d[1:]}, {"non-ASCII", "%C3%A9" + d[2:]}, {"full-width", "%EF%BC%A1" + d[1:]}, {"not UTF-8", "%ff" + d[1:]},
			{"markup", "%3CeViL%3E"}, {"JSON", "[[1,0,%22eViL%22]]"}, {"hex with a colon", "0x:" + d},
		} {
			all = append(all, attack{name: e.name + ": d with " + v.name, request: good.replacing("d", v.value), want: alphabet})
		}
		all = append(all, attack{name: e.name + ": d of 7,681 characters", request: longQuery(good), want: e.refusal(413, cause.Limit, "d of more than 7680 characters")})
		empty := e.refusal(400, cause.ProtocolError, "empty request")
		all = append(all,
			attack{name: e.name + ": d is an array", request: rename(good, "d=", "d[]="), want: empty},
			attack{name: e.name + ": D for d", request: rename(good, "d=", "D="), want: empty},
			attack{name: e.name + ": d with broken escapes", request: good.replacing("d", d+"%zz"), want: empty},
			attack{name: e.name + ": d with a raw semicolon", request: good.replacing("d", d+";eViL"), want: empty})
	}
	return all
}

func longQuery(q request) request { return q.replacing("d", strings.Repeat("A", 7681)) }

func rename(q request, old, new string) request {
	q.target = strings.Replace(q.target, "&"+old, "&"+new, 1)
	return q
}
