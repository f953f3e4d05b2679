package hostile

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// wrongEchoes are variables of the Comet Session Protocol with text that a transport of its
// draft never puts into an answer.
func wrongEchoes(t *testing.T, r *rig) (all []attack) {
	csp, _ := r.liveOlder(t)
	bad := []string{
		"<script>eViL()</script>", "<script>", "<script>b ", "<SCRIPT>b", "</script>", "<img src=x onerror=eViL()>", "<!--", "eViL(", "eViL();f", "eViL;", "eViL,f", "f=eViL", "f[eViL]", "f[0]", "(eViL)",
		"f.", ".f", "f..eViL", "a.b.c.d.e.eViL", "1f", "f.1", "f-eViL", "f eViL", " f", "f ", "\tf", "f\n", "f\r\n", "\nf", "f\x00", "\x00", "f\r\nSet-Cookie: eViL=1", "f\r\n\r\neViL", "f\u2028eViL", "f\u2029", "\ufefff",
		"ƒ", "eViLé", "f\xff", "\\u0066", "f\\", "f'", `f"`, "f`eViL`", "f/*", "/**/eViL", "//", "data:", "data: eViL\n\n", "data:  ", "event: eViL\ndata: ", "id: 1\n", ";;", "; ", "\n\n", "%3Cscript%3EeViL", "+", "&lt;", "#eViL",
		strings.Repeat("f", 65), strings.Repeat("eViL", 500), "javascript:eViL", "<html><body><script>function b(p){eViL(p)}</script>", "MZ\x90", "CWS\x0f", "%PDF-", "{", "[", "null=", "</script><script>b",
	}
	types := []string{
		"", "text/html; charset=utf-7", "text/html;eViL", "TEXT/HTML", "text/html ", " text/html", "text/xml", "application/xml", "application/xhtml+xml", "image/svg+xml", "text/css", "multipart/x-mixed-replace; boundary=eViL",
		"application/x-shockwave-flash", "application/pdf", "text/plain\r\nSet-Cookie: eViL=1", "text/plain\x00", "text/vbscript", "message/rfc822", "*/*", "eViL", "text/cache-manifest", "application/wasm", "text/javascript; charset=utf-7",
	}
	for _, name := range []string{"rp", "rs", "p", "bp", "bs", "ct"} {
		values := bad
		if name == "ct" {
			values = types
		}
		for i, value := range values {
			escaped := url.PathEscape(value)
			escaped = strings.NewReplacer("&", "%26", "+", "%2B").Replace(escaped)
			set := name + "=" + escaped
			for _, q := range []request{
				olderGet(r, "/csp/handshake?d={}&"+set), olderPost(r, "/csp/handshake?"+set, "{}"), olderGet(r, "/csp/send?d=%5B%5B1,0,%22eViL%22%5D%5D&s="+csp+"&"+set),
				olderPost(r, "/csp/send?s="+csp+"&"+set, `[[1,0,"eViL"]]`), olderGet(r, "/csp/comet?is=1&s="+csp+"&"+set), olderPost(r, "/csp/comet?s="+csp, set), olderGet(r, "/csp/close?s="+csp+"&"+set),
				olderPost(r, "/csp/comet?s="+mark+"&"+set, ""),
				olderGet(r, "/csp/handshake?"+name+"=&"+strings.ReplaceAll(name, "ct", "n")+"=&"+set), // behind a good one
			} {
				all = append(all, attack{name: fmt.Sprintf("%s: %s %d, %s", q.target[5:9], name, i, q.method), request: q, want: protocolError})
			}
		}
	}
	for _, path := range []string{"reflect", "reflect?d=eViL", "eViL", "static/csp.js", "handshake/", "handshake/eViL", "handshake%00", "%2e%2e%2fsession%2fsend", "comet;eViL", "HANDSHAKE", "streamtest.js", "send%20", ""} {
		for _, q := range []request{olderGet(r, "/csp/"+path), olderPost(r, "/csp/"+path, "eViL")} {
			all = append(all, attack{name: path + " by " + q.method, request: q, want: said(404, `"Not found"`)})
		}
	}
	return all
}

// wrongNumbers are numbers that are none, or out of range. They are ignored or cut: the
// answer is that of the number before them, or of the largest one that there is.
func wrongNumbers(t *testing.T, r *rig) (all []attack) {
	csp, _ := r.liveOlder(t)
	none := []string{
		"-1", "-0", "+1", "%2B1", "1.5", ".5", "1e1", "1e9", "0x1F", "0b1", "1_0", "1,0", "NaN", "nan", "Infinity", "-Infinity", "null", "true", "eViL", "%00", "1%00", "1%0d%0a", "%201", "1%20", "%D9%A1", "%EF%BC%91", "12345678901",
		"99999999999999999999", strings.Repeat("9", 400), "<script>eViL</script>", "1;2", "1/2", "--1", "0x", "1L",
	}
	for _, name := range []string{"du", "i", "ps", "a", "is", "se", "g", "n"} {
		for _, value := range none {
			if name == "a" && value == "%2B1" {
				continue // the same as +1, which is tried
			}
			q := olderPost(r, fmt.Sprintf("/csp/comet?du=0&i=0&ps=0&a=0&s=%s&%s=%s", csp, name, value), "")
			all = append(all, attack{name: name + " " + value, request: q, want: said(200, "([])")})
		}
	}
	for _, value := range []string{"4097", "65536", "99999999", "4294967296", "9999999999"} {
		q := olderPost(r, "/csp/comet?du=0&s="+csp+"&ps="+value, "ps="+value)
		all = append(all, attack{name: "ps of " + value, request: q, want: said(200, strings.Repeat(" ", 4096)+"([])")})
		q = olderPost(r, "/csp/comet?du=0&s="+csp+"&ps=0&a="+value, "")
		all = append(all, attack{name: "what was never sent acknowledged, " + value, request: q, want: said(200, "([])")})
	}
	for _, value := range []string{"9007199254740991", "9007199254740992", "18446744073709551615", "18446744073709551616"} {
		q := olderPost(r, "/csp/send?ps=0&s="+csp+"&a="+value, "")
		all = append(all, attack{name: "what was never sent acknowledged by send, " + value, request: q, want: said(200, `("OK")`)})
		q = olderGet(r, "/csp/comet?du=0&ps=0&s="+csp).adding("Last-Event-ID: " + value)
		all = append(all, attack{name: "Last-Event-ID of " + value, request: q, want: said(200, "([])")})
	}
	return all
}

// wrongBatches are batches of packets that make no sense. Each ends its session.
func wrongBatches(_ *testing.T, r *rig) (all []attack) {
	many := func(n int) string { return "[" + strings.Repeat(`[1,0,""],`, n-1) + `[1,0,""]]` }
	limit := said(413, `"limit"`)
	for name, c := range map[string]struct {
		body string
		want answer
	}{
		"text": {"eViL", protocolError}, "an object": {`{"eViL":1}`, protocolError}, "a number": {"1", protocolError}, "null": {"null", protocolError}, "a string": {`"eViL"`, protocolError},
		"no item but a number": {"[1]", protocolError}, "an empty item": {"[[]]", protocolError}, "an object in it": {`[{"id":1,"id":2}]`, protocolError}, "an object for data, with keys twice": {`[[1,0,{"a":1,"a":2}]]`, protocolError},
		"id 0": {`[[0,0,"eViL"]]`, protocolError}, "id -1": {`[[-1,0,"eViL"]]`, protocolError}, "id -0": {`[[-0,0,"eViL"]]`, protocolError}, "id 1.0": {`[[1.0,0,"eViL"]]`, protocolError}, "id 1.5": {`[[1.5,0,"eViL"]]`, protocolError},
		"id 1e0": {`[[1e0,0,"eViL"]]`, protocolError}, "id 01": {`[[01,0,"eViL"]]`, protocolError}, "id +1": {`[[+1,0,"eViL"]]`, protocolError}, "id 0x1": {`[[0x1,0,"eViL"]]`, protocolError}, "id NaN": {`[[NaN,0,"eViL"]]`, protocolError},
		"id a string": {`[["1",0,"eViL"]]`, protocolError}, "id null": {`[[null,0,"eViL"]]`, protocolError}, "id true": {`[[true,0,"eViL"]]`, protocolError}, "id a list": {`[[[1],0,"eViL"]]`, protocolError},
		"id 2^53": {`[[9007199254740992,0,"eViL"]]`, protocolError}, "id 2^64": {`[[18446744073709551616,0,"eViL"]]`, protocolError}, "id 2^64+1": {`[[18446744073709551617,0,"eViL"]]`, protocolError}, "id of 400 digits": {"[[" + strings.Repeat("9", 400) + `,0,""]]`, protocolError},
		"id 2^53-1": {`[[9007199254740991,0,"eViL"]]`, protocolError}, "a gap of 90": {`[[90,0,"eViL"]]`, protocolError},
		"encoding 2": {`[[1,2,"eViL"]]`, protocolError}, "encoding -1": {`[[1,-1,"eViL"]]`, protocolError}, "encoding a string": {`[[1,"0","eViL"]]`, protocolError}, "encoding null": {`[[1,null,"eViL"]]`, protocolError}, "encoding 1.0": {`[[1,1.0,"eViL"]]`, protocolError},
		"base64 of one letter": {`[[1,1,"Y"]]`, protocolError}, "base64 with other letters": {`[[1,1,"YQ!="]]`, protocolError}, "base64 with a space": {`[[1,1,"YW Jj"]]`, protocolError}, "base64 with a line end": {`[[1,1,"YWJj\n"]]`, protocolError},
		"base64 with padding inside": {`[[1,1,"YQ==YQ=="]]`, protocolError}, "base64 with padding alone": {`[[1,1,"===="]]`, protocolError}, "base64 with bits left over": {`[[1,1,"YR=="]]`, protocolError},
		"two elements": {`[[1,0]]`, protocolError}, "four elements": {`[[1,0,"","eViL"]]`, protocolError}, "one element": {`[[1]]`, protocolError}, "data a number": {`[[1,0,5]]`, protocolError}, "data a list": {`[[1,0,["eViL"]]]`, protocolError},
		"data without quotes": {`[[1,0,eViL]]`, protocolError}, "data in single quotes": {`[[1,0,'eViL']]`, protocolError}, "a letter above U+00FF": {`[[1,0,"☃"]]`, protocolError}, "such a letter escaped": {`[[1,0,"\u2603"]]`, protocolError},
		"half a pair": {`[[1,0,"\ud83d"]]`, protocolError}, "not UTF-8": {"[[1,0,\"\xff\xfe\"]]", protocolError}, "a bare NUL": {"[[1,0,\"\x00\"]]", protocolError}, "a bare line end": {"[[1,0,\"\n\"]]", protocolError}, "an unknown escape": {`[[1,0,"\x41"]]`, protocolError}, "half an escape": {`[[1,0,"\u00"]]`, protocolError},
		"a comma behind": {`[[1,0,"eViL"],]`, protocolError}, "two commas": {`[[1,0,"eViL"],,[2,0,""]]`, protocolError}, "no comma": {`[[1,0,"eViL"][2,0,""]]`, protocolError}, "text behind": {`[[1,0,"eViL"]]eViL`, protocolError}, "a second batch behind": {`[[1,0,"eViL"]][[2,0,""]]`, protocolError}, "a byte order mark": {"\ufeff" + `[[1,0,"eViL"]]`, protocolError},
		"a comment": {`[[1,0,"eViL"]/**/]`, protocolError}, "cut in the data": {`[[1,0,"eVi`, protocolError}, "cut in the batch": {`[[1,0,"eViL"],`, protocolError}, "cut behind a packet": {`[[1,0,"eViL"]`, protocolError},
		"100,000 brackets": {strings.Repeat("[", 100_000), protocolError}, "500,000 brackets and their ends": {strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), protocolError}, "100,000 braces": {"[[1,0," + strings.Repeat(`{"a":`, 100_000), protocolError},
		"our NEW": {fresh(), protocolError}, "an ack of our batches": {`[["ack",1]]`, protocolError}, "a close of our batches": {`[["close",0,0,"eViL"]]`, protocolError}, "a control that is none": {`[["eViL"]]`, protocolError},
		"a good packet, then none": {`[[1,0,"` + r.backend.Addr() + `\n"],[0,0,""]]`, protocolError},
		"1,001 packets":            {many(1001), limit}, "100,000 packets": {many(100_000), limit},
	} {
		for _, how := range []string{"POST", "GET"} {
			a := attack{name: name + " by " + how, opened: (*rig).openCSP, over: (*rig).overCSP, want: c.want}
			a.on = func(id string) request { return olderPost(r, "/csp/send?s="+id, c.body) }
			if how == "GET" {
				if len(c.body) > 1000 {
					continue // no request line is so long
				}
				a.on = func(id string) request {
					d := strings.NewReplacer("&", "%26", "+", "%2B").Replace(url.PathEscape(c.body))
					return olderGet(r, "/csp/send?s="+id+"&d="+d)
				}
			}
			all = append(all, a)
		}
	}
	return all
}
