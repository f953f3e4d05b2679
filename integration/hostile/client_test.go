package hostile

import (
	"strings"
	"testing"
)

// TestClientRunsNothingItReceives: what the proxy serves to pages has none of the calls
// that turn text into code or markup, so it works under a strict Content-Security-Policy
// and Trusted Types, and a lying proxy can not run anything in a page through them.
func TestClientRunsNothingItReceives(t *testing.T) {
	r := newRig(t)
	for _, file := range []string{"/TCPSocket.js", "/TCPSocket.mjs"} {
		q := request{method: "GET", target: file, fields: []string{"Host: " + r.addr, "Connection: close"}}
		got, err := exchange(r.addr, "GET", q.bytes())
		if err != nil || len(got) != 1 || got[0].StatusCode != 200 || len(got[0].text) < 1000 {
			t.Fatalf("%s: %d answers, %v", file, len(got), err)
		}
		for _, call := range []string{
			"eval(", "Function(", "document.write", "innerHTML", "outerHTML", "insertAdjacentHTML", "createContextualFragment", "DOMParser", "srcdoc", "javascript:", `setTimeout("`, `setInterval("`, "import(", `,"*")`,
		} {
			if strings.Contains(got[0].text, call) {
				t.Errorf("%s has %s", file, call)
			}
		}
		if !strings.Contains(got[0].text, ".origin!==") {
			t.Errorf("%s does not compare the origin of messages", file)
		}
	}
}
