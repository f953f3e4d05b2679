// Package wsframes tests what the proxy makes of WebSocket frames, byte by byte: some
// hundreds of cases over raw TCP, in the chapters of the Autobahn test suite, each with
// its expected end. There is nothing to import.
//
//	conn_test.go       a client that sends whatever a case says
//	trial_test.go      what a case is, and how its end is judged
//	*_test.go          the chapters: a table each
//
// In place of Autobahn's echo stand the session protocol's answers: a PING record is
// answered by a PONG record, and data for a socket comes back from an echo server. A
// link that ends by a fault in its frames leaves its session, and what arrived before
// the fault counts: each case resumes its session and looks.
package wsframes
