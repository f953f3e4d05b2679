// Package wisp serves Wisp, versions 1 and 2 (draft 6): many TCP connections over one
// WebSocket at /wisp/, which v86, libcurl.js, epoxy and wisp-js speak. It is one of
// the protocols of package legacy.
//
//	encke --allow www.example.org:443 --legacy wisp [--wisp-password-file FILE] [--wisp-motd TEXT]
//
// A client that names a subprotocol gets version 2 (RFC 6455 wants that to be wisp-v2, since
// nothing else is agreed on), others version 1.
//
// # What is there
//
//   - CONNECT for TCP. UDP is refused with CLOSE 0x48, and version 2 does not announce it.
//   - Reasons of CLOSE, by cause: reason.go.
//   - Version 2: password authentication, the message of the day, stream open confirmation.
//     With a password file only clients that give one of its names and passwords are let
//     in, so none of version 1: others get CLOSE 0xc2 or 0xc0 on stream 0, and close
//     code 4011. The file is read again when it has changed. Keys (0x03) are not there.
//
// # Credit
//
// A stream begins with a credit of 8 packets. When it has used it up and nothing waits for
// its backend, it gets more: as many packets as its largest one fits into 512 KiB, 128 at
// most. A CONTINUE sets the client's credit rather than adding to it, so one that came
// earlier would let more come than it says; this one bounds what may be under way. A stream
// whose packets have 64 KiB at most therefore never has more than 1 MiB waiting, and that is
// what a stream may have. With larger ones it may come to more; then it is closed, 0x49. So it is
// when 8 MiB wait for the backends of one WebSocket, or more than 64 KiB for this one while
// the proxy is short of memory. Others go on.
//
// Towards the client Wisp has no credit: what backends say is sent as fast as the
// WebSocket takes it, a piece of each stream in its turn. So a client that does not read
// stops all streams, and after --write-timeout the WebSocket is cut.
//
// # The end of a stream
//
// A stream has no half-close. CLOSE of the client ends both directions; what it sent before
// is still written, for 15 s at most. When the backend ends its direction it is the same, with
// CLOSE 0x02 to the client. What comes for a stream that is not there, or no longer, is dropped:
// it may have crossed the CLOSE.
//
// # What is refused
//
// A CONNECT that is not well formed, or whose id is in use, is answered with CLOSE 0x41; in
// the second case both streams end. More than 128 that wait for a connection get 0x49, as those
// above --max-sockets and --open-rate do. Every other packet that is not well formed ends the
// WebSocket with close code 4014: shorter than its fields, of an unknown type or one that
// clients do not send, on stream 0 where it must not be, or longer than 64 KiB if it is not
// DATA. Text messages end it with 1003.
package wisp
