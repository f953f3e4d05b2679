package hostile

import (
	"fmt"
	"strings"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// endpoint is one path that carries sessions.
type endpoint struct {
	name   string // the last part of its path
	method string
	get    bool // the records come in the query, and the page's origin in Referer
}

var endpoints = []endpoint{
	{transports.WebSocket, "GET", false},
	{transports.FetchStreaming, "POST", false},
	{transports.XHRStreaming, "POST", false},
	{transports.EventSource, "GET", true},
	{transports.LongPolling, "POST", false},
	{transports.Iframe, "GET", true},
	{transports.JSONP, "GET", true},
	{"jsonp-send", "GET", true},
	{"send", "POST", false},
}

// those returns the endpoints for which f holds.
func those(f func(endpoint) bool) (all []endpoint) {
	for _, e := range endpoints {
		if f(e) {
			all = append(all, e)
		}
	}
	return all
}

func (e endpoint) ws() bool     { return e.name == transports.WebSocket }
func (e endpoint) post() bool   { return e.method == "POST" }
func (e endpoint) script() bool { return strings.HasPrefix(e.name, "jsonp") }
func (e endpoint) binary() bool {
	return e.ws() || e.name == "send" || e.name == transports.LongPolling || e.name == transports.FetchStreaming
}

// holds says that requests to it may wait.
func (e endpoint) holds() bool { return !e.ws() && e.name != "send" && e.name != "jsonp-send" }

// plain is the request of a page of the listed origin with these records, as a browser
// makes it, but that the connection ends with the answer.
func (e endpoint) plain(r *rig, records string) request {
	q := request{method: e.method, target: "/session/" + e.name + "?hold=60", fields: []string{"Host: " + r.addr}}
	switch {
	case e.ws():
		q.fields = append(q.fields, "Origin: "+listed, "Connection: Upgrade", "Upgrade: websocket",
			"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
		q.behind = frame(2, records) + goodbye
		return q
	case e.get:
		q.fields = append(q.fields, "Referer: "+listed+"/page", "Sec-Fetch-Site: cross-site")
		q.target += "&d=" + base64url(records)
	default:
		q.fields = append(q.fields, "Origin: "+listed)
		q.body = records
	}
	if e.script() {
		q.target += "&callback=f&seq=1"
	}
	q.fields = append(q.fields, "Connection: close")
	return q
}

// refusal is how the endpoint says that a request was refused for a cause.
func (e endpoint) refusal(status int, code cause.Code, text string) answer {
	closed := record(csp.Record{Kind: csp.Close, Cause: uint64(code), Text: []byte(text)})
	batch := fmt.Sprintf(`[["close",%d,0,"%s"]]`, code, text)
	switch {
	case e.ws():
		return answer{status: 101, body: closed, code: 4000 + int(code)}
	case e.binary():
		return answer{status: status, kind: "application/octet-stream", body: closed, allow: listed}
	case e.name == transports.XHRStreaming:
		return answer{status: status, kind: "text/plain; charset=utf-8", body: batch + "\n", allow: listed}
	case e.name == transports.EventSource:
		return answer{status: 200, kind: "text/event-stream", body: "data: " + batch + "\n\n", allow: listed}
	case e.name == transports.Iframe:
		return answer{status: 200, kind: "text/html; charset=utf-8", body: framePage + "<i>" + batch + "</i><b></b>\n"}
	}
	return answer{status: 200, kind: "text/javascript; charset=utf-8", body: "/**/f(1," + batch + ");"}
}

// fixed is an answer of fixed text to a page of the listed origin: it may read it where
// it could read an answer to a good request.
func (e endpoint) fixed(a answer) answer {
	if e.post() || e.name == transports.EventSource {
		a.allow = listed
	}
	return a
}

// framePage is what the iframe's page begins with, when the listed origin embeds it. It
// is written out here, so that nothing gets into it unnoticed.
var framePage = `<!DOCTYPE html><html data-parent="` + listed + `"><head><meta charset="utf-8"><title>Encke</title>` +
	`<script>(function(){var d=document,to=d.documentElement.getAttribute("data-parent"),done=false;` +
	`function look(){var i;while((i=d.querySelector("i+b"))){var e=i.previousSibling,t=e.textContent;` +
	`i.parentNode.removeChild(i);e.parentNode.removeChild(e);parent.postMessage({encke:JSON.parse(t)},to)}}` +
	`function end(){if(!done){done=true;look();parent.postMessage({encke:null},to)}}` +
	`if(window.MutationObserver)new MutationObserver(look).observe(d,{childList:true,subtree:true});else setInterval(look,50);` +
	`window.addEventListener("load",end)})();</script></head><body>` + strings.Repeat(" ", 1024)
