// Package relay is a TCP relay that fails on command: tests put it between the browser
// and the proxy and cut, freeze or block the links under a live page.
//
//	r := relay.New(t, proxyAddr)
//	page.Goto("http://" + r.Addr() + "/...")
//	done := r.CutEach(600<<10, 8)   // eight cuts, one after every 600 KiB
//	<-done
//
// Until told otherwise it passes every byte and both FINs. It counts bytes, not chunks:
// a cut after N bytes passes exactly N. It looks at what it passes only to find blocked
// text (Block).
package relay
