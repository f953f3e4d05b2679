// Package orbited2 is the protocol of Orbited2: frames
//
//	LEN "," ID "," TYPE "," DATA
//
// over CSP sessions (package cspdraft) or over a WebSocket at /ws. LEN is the number of bytes
// behind its comma, ID the number that the client gives to a socket, TYPE 0 for open, 1 for close
// (DATA is a reason, or empty), 2 for data. The first data of a socket is its handshake, a
// JSON object with hostname, port (a number), protocol and path; "1" answers it when the
// backend is connected, a close frame when it is not.
//
// With a protocol that begins with ws the backend is a WebSocket server: the proxy is its
// client, speaks today's protocol (RFC 6455) whatever draft was asked for, and each data
// frame is one text message, an empty one, too. The page's origin goes along.
//
// The clients know text only: they decode each frame as UTF-8 by itself, and throw on what
// is none. So frames are cut between characters, and a byte that is no UTF-8 arrives as U+FFFD:
// one such byte in a chat must not cut off all who are in it. Protocols with binary data
// need another client. What is not UTF-8 on the WebSocket closes it with 1007.
//
// Different from the original server: a client's close closes the backend and frees the id, a
// failed connect is told by a close frame only, Orbited2's own connection timeout of 30 s
// is the proxy's.
package orbited2
