// Package soak is the chaos driver: for as long as one wants, many sessions over all
// transports move checked streams through a proxy while everything that may fail does.
// There is nothing to import; run
//
//	make soak DURATION=8h              # SEED=17 repeats the decisions of a run
//	go test ./integration/soak         # two minutes
//
// Every session carries sockets of several kinds (script.go), moves between transports and
// has its TCP connections cut, stalled, delayed and slowed byte for byte (weather.go). The
// network between clients and proxy, if there may be one of our own, goes down, loses,
// refuses, changes addresses (storm.go), and the proxy's process is stopped and continued.
// All of that stays within what a session must survive: one that ends, a byte that is
// wrong and a socket that hangs are errors, and the first one ends the run.
//
// The seed decides what each session does and which faults it meets; when they strike
// depends on the machine.
package soak
