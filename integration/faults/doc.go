// Package faults breaks what lies between a page and a backend, one fault after the
// other, and checks that nothing but time is lost. There is nothing to import; run
//
//	make faults                                  # every row on every transport
//	make faults ROWS=7,8 TRANSPORTS=jsonp
//	SEED=1763650000000000000 make faults         # the same random choices again
//	make resume CUTS=100000                      # nothing but cuts, counted
//	go test ./integration/faults                 # the short set, some minutes
//	go test ./integration/faults -run TestFaults/row-07/long-polling -v
//
// rows_test.go is the table: what each row breaks, what must be true after it, and on
// which transports it means something. The encke command runs with a relay or a box in
// front of it; the other side is package peer, or a browser where the row is about how a
// page chooses its transport. A run ends with a table of its results, printed and
// written to integration/out as faults.md and faults.json.
//
// Every row is judged by the same rules (invariants_test.go):
//
//	I1  every byte of a stream arrives once, in its place, in both directions
//	I2  or the socket or session ends with a cause, and what came before is a prefix
//	I3  the proxy's heap is back where it was, and within a bound in between
//	I4  so are its goroutines, its descriptors and its sessions
//	I5  a second session, without a fault, goes on being answered
//	I6  the counters of the fault have moved (counters_test.go), and the log is bounded
//
// A row that needs root, or something that a machine lacks, is skipped with a reason, and
// the table counts it as not survived.
package faults
