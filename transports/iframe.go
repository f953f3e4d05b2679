package transports

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"encke/csp"
)

// iframe streams an HTML page into a hidden frame (the "forever frame"; htmlfile
// in old Internet Explorer). Each batch is the text of an <i> element; the one
// script of the page, allowed by its hash, reads and removes them and posts them
// to the embedding page. The page is constant: nothing of the request is in it
// but the accepted origin that may embed it.
type iframe struct{}

// The script waits for elements to be complete: an <i> is, when something
// follows it, so every batch is followed by an empty <b>. It asks the observer
// and, for browsers without one, a timer.
const iframeScript = `(function(){` +
	`var d=document,to=d.documentElement.getAttribute("data-parent"),done=false;` +
	`function look(){var i;while((i=d.querySelector("i+b"))){var e=i.previousSibling,t=e.textContent;` +
	`i.parentNode.removeChild(i);e.parentNode.removeChild(e);parent.postMessage({encke:JSON.parse(t)},to)}}` +
	`function end(){if(!done){done=true;look();parent.postMessage({encke:null},to)}}` +
	`if(window.MutationObserver)new MutationObserver(look).observe(d,{childList:true,subtree:true});else setInterval(look,50);` +
	`window.addEventListener("load",end)})();`

var iframeScriptHash = func() string {
	sum := sha256.Sum256([]byte(iframeScript))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

func (iframe) header(head http.Header, p page) error {
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+iframeScriptHash+
		"'; frame-ancestors 'self' "+strings.Join(p.policy.hosts(), " ")+"; base-uri 'none'; form-action 'none'")
	return nil
}

func (iframe) open(dst []byte, p page) []byte {
	dst = append(dst, `<!DOCTYPE html><html data-parent="`...)
	dst = append(dst, htmlEscaper.Replace(p.origin)...)
	dst = append(dst, `"><head><meta charset="utf-8"><title>Encke</title><script>`...)
	dst = append(dst, iframeScript...)
	dst = append(dst, "</script></head><body>"...)
	// Some browsers wait for a kilobyte before they begin to parse.
	return append(dst, strings.Repeat(" ", 1024)...)
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;")

func (iframe) batch(dst []byte, b *csp.Batch) []byte {
	dst = append(dst, "<i>"...)
	dst = csp.Text.Append(dst, b)
	return append(dst, "</i><b></b>\n"...)
}

func (iframe) limits() (int, int) { return 32 << 10, maxText }

// quiet: the page does not see the status of a frame.
func (iframe) quiet() bool { return true }
