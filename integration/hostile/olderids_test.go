package hostile

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"encke/cause"
)

// olderIDs are ids at the older protocols that are none of their sessions, or sessions of
// another protocol or page, and ids of their sessions at our own endpoints.
func olderIDs(t *testing.T, r *rig) (all []attack) {
	csp, tcp := r.liveOlder(t)
	native := r.open(t, listed)
	r.alive(t, native, 0)
	t.Cleanup(func() { r.alive(t, native, 0) })
	ids := guesses(csp)
	maps.Copy(ids, map[string]string{"of our own protocol": native, "of Orbited 0.7": tcp})
	for what, id := range ids {
		for _, q := range unknownCSP(r, url.PathEscape(id)) {
			q.name += ": id " + what
			all = append(all, q)
		}
	}
	ids = guesses(tcp)
	maps.Copy(ids, map[string]string{"of our own protocol": native, "of the Comet Session Protocol": csp})
	for what, id := range ids {
		if strings.Contains(id, "/") || id == "" {
			continue // the path is another one, see olderFiles
		}
		for _, q := range unknownTCP(r, url.PathEscape(id)) {
			q.name += ": id " + what
			all = append(all, q)
		}
	}
	for _, e := range endpoints {
		for name, id := range map[string]string{"the Comet Session Protocol": csp, "Orbited 0.7": tcp} {
			q := e.plain(r, resume(id, 0)+seq(1)+data("eViL"))
			all = append(all, attack{name: e.name + ": id of " + name, request: q, want: e.refusal(404, cause.SessionLost, "unknown session")})
		}
	}
	for _, origin := range []string{another, "https://a.wild.test", "http://" + r.addr} {
		for _, q := range append(unknownCSP(r, csp), unknownTCP(r, tcp)...) {
			q.name += ": by a page of " + origin
			if q.method == "POST" {
				q.request = q.with("Origin", origin)
			} else {
				q.request = q.with("Referer", origin+"/")
			}
			if q.want.body == noConnection.body {
				q.want = answer{status: 403, body: "denied: the session belongs to another origin\n"}
			}
			q.want.allow = origin
			all = append(all, q)
		}
	}
	return all
}

// unknownCSP are all kinds of requests for a session that the page does not have.
func unknownCSP(r *rig, id string) (all []attack) {
	for _, leaf := range []string{"comet?du=0", "send?a=0", "close?n=0"} {
		all = append(all, attack{name: leaf + " by POST", request: olderPost(r, "/csp/"+leaf+"&s="+id, ""), want: noSession})
		all = append(all, attack{name: leaf + " by GET", request: olderGet(r, "/csp/"+leaf+"&s="+id), want: noSession})
	}
	script := answer{status: 200, kind: "text/javascript; charset=utf-8", body: `/**/f('Session not found');`, allow: listed}
	ended := script
	ended.body = `/**/f([[1,0,null]]);`
	frame := answer{status: 200, kind: "text/html; charset=utf-8", body: `<script>b([[1,0,null]]);</script>`, allow: listed}
	events := noSession
	return append(all,
		attack{name: "send by a script", request: olderGet(r, "/csp/send?rp=f&rs=;&d=%5B%5B1,0,%22eViL%22%5D%5D&s="+id), want: script},
		attack{name: "close by a script", request: olderGet(r, "/csp/close?rp=f&rs=;&s="+id), want: script},
		attack{name: "comet by a script", request: olderGet(r, "/csp/comet?du=0&bp=f&bs=;&s="+id), want: ended},
		attack{name: "comet by a frame", request: olderGet(r, "/csp/comet?is=1&ct=text/html&bp=%3Cscript%3Eb&bs=;%3C/script%3E&s="+id), want: frame},
		attack{name: "comet by an event source", request: olderGet(r, "/csp/comet?is=1&se=1&ct=text/event-stream&bp=data:%20&bs=%0D%0A&s="+id), want: events},
		attack{name: "send of a packet", request: olderPost(r, "/csp/send?s="+id, `[[1,0,"eViL"]]`), want: noSession},
		attack{name: "comet with all acknowledged", request: olderPost(r, "/csp/comet?du=0&a=99&s="+id, ""), want: noSession},
	)
}

// unknownTCP is unknownCSP for Orbited 0.7.
func unknownTCP(r *rig, id string) (all []attack) {
	for _, transport := range []string{"poll", "longpoll", "xhrstream", "sse"} {
		for _, ack := range []string{"", "?ack=9"} {
			all = append(all, attack{name: transport + ack, request: olderGet(r, "/tcp/"+id+"/"+transport+ack), want: noConnection})
		}
	}
	return append(all,
		attack{name: "htmlfile", request: olderGet(r, "/tcp/"+id+"/htmlfile?frameID=eViL"), want: closedFrame},
		attack{name: "packets", request: olderPost(r, "/tcp/"+id, "11,114,data04,ZVZp"), want: noConnection},
		attack{name: "close", request: olderPost(r, "/tcp/"+id, "11,105,close"), want: noConnection},
	)
}
