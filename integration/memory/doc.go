// Package memory proves that pages which read nothing cost the proxy a bounded amount of
// memory and the pages beside them nothing. There is nothing to import; run
//
//	make memory DURATION=10m        # SESSIONS=1000
//	go test ./integration/memory    # the same for 20 s
//
// Each of the sessions has a backend that never stops sending and a page that takes
// nothing after the answer to its hello, over all transports in turn. The proxy cuts such
// links; the page makes a new one before the session is given up, so that all of them live
// on to the end. Sessions that echo run beside them.
//
// The curve goes to integration/out/memory.csv.
package memory
