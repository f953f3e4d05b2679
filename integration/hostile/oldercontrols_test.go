package hostile

import (
	"strings"
	"testing"
)

// TestOlderControls is TestControls for the older protocols that are no WebSockets.
func TestOlderControls(t *testing.T) {
	r := newRig(t)
	own := "http://" + r.addr
	for _, origin := range []string{listed, another, "https://a.wild.test", own} {
		for _, q := range []request{olderPost(r, "/csp/handshake", "{}"), olderGet(r, "/csp/handshake?d={}&rp=f.g&rs=;"), olderGet(r, "/csp/handshake?rp=&rs=&p=&bp=&bs=&ct=text/html"), olderGet(r, "/tcp")} {
			if q.method == "POST" {
				q = q.with("Origin", origin)
			} else {
				q = q.with("Referer", origin+"/page")
			}
			before := r.app.Stats().Sessions.Opened
			got := r.askOlder(t, q)
			if got.StatusCode != 200 || !strings.Contains(got.text, "n0.") || r.app.Stats().Sessions.Opened != before+1 {
				t.Errorf("%s %s from %s opens nothing: %d %q", q.method, q.target, origin, got.StatusCode, got.text)
			}
		}
	}
	id := r.openCSP(t)
	for _, c := range []struct {
		q    request
		want string
	}{
		{olderPost(r, "/csp/streamtest", ""), "([])\n([])\n([])\n"},
		{olderPost(r, "/csp/comet?du=0&ps=5&s="+id, ""), "     ([])"},
		{olderGet(r, "/csp/comet?du=0&ps=0&bp=f&bs=;&s="+id), "/**/f([]);"},
		{olderGet(r, "/csp/comet?ct=text/html&bp=%3Cscript%3Eb&bs=;%3C/script%3E&s="+id), "<script>b([]);</script>"},
		{olderGet(r, "/csp/send?rp=f&rs=;&d=%5B%5D&s="+id), "/**/f(\"OK\");"},
		{olderPost(r, "/csp/send?rp=&rs=&s="+id, `[[1,1,"MTI3"],[2,0,""]]`), `("OK")`},
		{olderPost(r, "/csp/close?s="+id, ""), `("OK")`},
	} {
		if got := r.askOlder(t, c.q); got.StatusCode != 200 || got.text != c.want {
			t.Errorf("%s %s: %d %q, want %q", c.q.method, c.q.target, got.StatusCode, got.text, c.want)
		}
	}
	// The bridge, a page of the proxy's, opens for a page whose frame is its own request.
	key := r.askOlder(t, olderGet(r, "/tcp").with("Referer", own+"/static/xsdrBridge.html").with("Sec-Fetch-Site", "same-origin")).text
	r.askOlder(t, olderPost(r, "/tcp/"+key, "11,114,data04,"+padded("a:1")).with("Origin", own))
	if got := r.askOlder(t, olderGet(r, "/tcp/"+key+"/htmlfile?ack=2")); !strings.Contains(got.text, `["3","data","`+padded("0106")+`"]`) {
		t.Errorf("the frame of a session of the bridge: %d %q", got.StatusCode, got.text)
	}
}
