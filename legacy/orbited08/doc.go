// Package orbited08 is the framing of Orbited 0.8, carried by CSP sessions (package cspdraft):
//
//	LEN ":" ID "," TYPE DATA
//
// LEN is the number of bytes behind the colon, ID the number that the client gives to a
// socket, TYPE 0 for open (DATA is HOST,PORT; the answer has none), 1 for close (the answer, and
// each end, has a code; see package legacy), 2 for data.
//
// Clients take each packet for one frame, so each frame is a packet of its own. Data for a
// socket that is still connecting waits for it. Different from the original server: bytes of
// 0x80 and above are carried, an id that is opened while it is open is an error of that socket,
// and a client that sends faster than a backend takes has to wait.
package orbited08
