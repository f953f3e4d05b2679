package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// olderFiles ask for files of Orbited 0.7 that there are not, and for connections by paths
// that are none.
func olderFiles(t *testing.T, r *rig) (all []attack) {
	_, tcp := r.liveOlder(t)
	for _, folder := range []string{"/static/", "/tcp/static/"} {
		for _, name := range []string{
			".", "..", "eViL", "reach.js", "files.go", ".env", ".git/config", "files/", "files/reach.js", "Orbited.js/", "Orbited.js/eViL", "Orbited.js%00", "Orbited.js%20", "orbited.js", "ORBITED.JS", "Orbited.js.map.map",
			"../session/send", "../../etc/passwd", "%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd", "..%252f..%252fetc/passwd", "..%c0%afetc/passwd", "%2fetc%2fpasswd", "/etc/passwd", "//eViL.test", `..\..\etc\passwd`,
			"xsdrBridge.html/", "xsdrBridge.html%00", "xsdrBridge.HTML", "HTMLFileFrame.js.", "HTMLFileFrame.js::$DATA", "<script>eViL</script>", "https://eViL.test/", "TCPSocket.d.ts/eViL",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				want := notFound
				if method == "HEAD" {
					want.body = ""
				}
				q := request{method: method, target: folder + name, fields: []string{"Host: " + r.addr, "Connection: close"}}
				all = append(all, attack{name: method + " " + q.target, request: q, want: want})
			}
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "EVIL"} {
			for _, name := range []string{"Orbited.js", "xsdrBridge.html", "HTMLFileFrame.js", "eViL"} {
				q := request{method: method, target: folder + name, fields: []string{"Host: " + r.addr, "Connection: close"}}
				all = append(all, attack{name: method + " " + q.target, request: q, want: wrongMethod})
			}
		}
		for _, page := range []string{"xsdrBridge.html", "xsdClose.html"} {
			for name, referer := range map[string]string{"nobody": "", "another site": "https://eViL.test/", "listed as prefix": listed + ".eViL.test/", "listed in the path": "https://eViL.test/" + listed} {
				q := request{method: "GET", target: folder + page, fields: []string{"Host: " + r.addr, "Referer: " + referer, "Sec-Fetch-Site: cross-site", "Connection: close"}}
				all = append(all, attack{name: q.target + " in a frame of " + name, request: q, want: foreign})
			}
		}
	}
	for _, transport := range []string{"", "eViL", "POLL", "poll/", "poll/eViL", "poll%00", "poll%20", "websocket", "htmlfile.js", "<script>eViL</script>"} {
		for _, id := range []string{tcp, "eViL"} {
			q := olderGet(r, "/tcp/"+id+"/"+transport)
			all = append(all, attack{name: fmt.Sprintf("transport %q of %s", transport, id[:4]), request: q, want: said(404, "no such transport\n")})
		}
	}
	for _, ack := range []string{"-1", "1.5", "1e1", "0x1", "eViL", "NaN", "%00", "%2B1", "1%20", "9007199254740992", "18446744073709551616", strings.Repeat("9", 400)} {
		want := said(400, "protocol-error: ack is no number from 0 to 2^53-1\n")
		for _, transport := range []string{"poll", "longpoll", "xhrstream", "htmlfile", "sse"} {
			all = append(all, attack{name: transport + " with ack " + ack, request: olderGet(r, "/tcp/"+tcp+"/"+transport+"?ack="+ack), want: want})
		}
		all = append(all, attack{name: "packets with ack " + ack, request: olderPost(r, "/tcp/"+tcp+"?ack="+ack, "11,105,close"), want: want})
	}
	return all
}

// wrongPackets are bodies of Orbited 0.7 that make no sense. Each ends its connection.
func wrongPackets(_ *testing.T, r *rig) (all []attack) {
	text := func(s string) answer { return said(400, "protocol-error: "+s+"\n") }
	short, length, begins := text("the body ends inside a packet"), text("the length of a string is not a number and a comma"), text("a string begins with neither 0 nor 1")
	id, letters := text("the id of a packet is no number from 1 to 2^53-1"), text("data that is not base64 with padding")
	long := text("a string is longer than a body may be")
	for name, c := range map[string]struct {
		body string
		want answer
	}{
		"text": {"eViL", begins}, "a batch of the other protocol": {`[[1,0,"eViL"]]`, begins}, "our NEW": {fresh(), begins}, "a NUL": {"\x00", begins}, "a 2": {"21,1", begins}, "one digit": {"1", short}, "a length alone": {"11", short},
		"no length": {"1,1", length}, "a negative length": {"1-1,1", length}, "a length with a plus": {"1+1,1", length}, "a length in hex": {"1x1,1", length}, "a fraction": {"11.0,1", length}, "a space": {"11 ,1", length}, "a length that lies": {"19,1", short},
		"a length of 1 MiB and one": {"11048577,1", long}, "a length of 20 digits": {"199999999999999999999,", long}, "a length of 400 digits": {"1" + strings.Repeat("9", 400) + ",", long},
		"cut behind the id": {"11,1", short}, "cut in the data": {"11,114,data04,eVi", short}, "no name": {"01,1", text("a packet without a name")}, "four strings": {"11,114,data10,00,", text("a packet of more than 3 strings")}, "100,000 strings": {strings.Repeat("10,", 100_000), text("a packet of more than 3 strings")},
		"id 0": {"11,004,ping", id}, "id -1": {"12,-104,ping", id}, "id 01": {"12,0104,ping", id}, "id +1": {"12,+104,ping", id}, "id 1.0": {"13,1.004,ping", id}, "id 1e0": {"13,1e004,ping", id}, "id 2^53": {"116,900719925474099204,ping", id}, "id 2^64+1": {"120,1844674407370955161704,ping", id}, "id text": {"14,eViL04,ping", id}, "id nothing": {"10,04,ping", id}, "id with a NUL": {"12,1\x0004,ping", id},
		"an unknown name": {"11,104,eViL", text("a packet that is none of data, ping and close")}, "open, which is the proxy's": {"11,104,open", text("a packet that is none of data, ping and close")}, "DATA": {"11,114,DATA04,ZVZp", text("a packet that is none of data, ping and close")}, "no data": {"11,104,data", text("a data packet without data")},
		"base64 of one letter": {"11,114,data01,Y", letters}, "base64 without padding": {"11,114,data02,YQ", letters}, "base64 with other letters": {"11,114,data04,!!!!", letters}, "base64 with a line end": {"11,114,data05,ZVZp\n", letters}, "base64 for URLs": {"11,114,data04,__--", letters}, "base64 with padding inside": {"11,114,data08,YQ==YQ==", letters},
		"a good packet, then none": {fmt.Sprintf("11,114,data0%d,%s", len(padded(r.backend.Addr()+"\n")), padded(r.backend.Addr()+"\n")) + "eViL", begins},
		"more than 1 MiB":          {strings.Repeat("a", 1<<20+1), said(413, "limit: body of more than 1048576 bytes\n")},
	} {
		on := func(id string) request { return olderPost(r, "/tcp/"+id, c.body) }
		all = append(all, attack{name: name, on: on, opened: (*rig).openTCP, over: (*rig).overTCP, want: c.want})
	}
	return all
}

func padded(p string) string { return base64.StdEncoding.EncodeToString([]byte(p)) }
