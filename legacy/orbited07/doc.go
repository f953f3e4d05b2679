// Package orbited07 serves the clients of Orbited 0.7: one TCP connection for each session,
// over xhrstream, longpoll, poll, htmlfile and sse. Its name in --legacy is orbited07.
//
//	GET  /tcp                  a new session; the answer is its key
//	POST /tcp/KEY              packets of the client, "data", "ping" and "close"
//	GET  /tcp/KEY/TRANSPORT    packets for it, "open", "data", "ping", "opt" and "close"
//	GET  /static/FILE          Orbited.js, which is our client with the interface of 0.7,
//	                           and the pages and scripts for frames of the original one;
//	                           files of --static static=DIR come first
//	GET  /tcp/static/FILE      the same
//
// Each socket of a page is a session of its own, and counts as one. It is one of package csp, with packet ids that are higher by two: the two options
// have 1 and 2, "open" has 2 as well. A ping repeats the last id. So acknowledgements,
// resending, bounds and the end of abandoned sessions are those of all sessions. The first
// data packet of the client is its target, "HOST:PORT\n"; the first for the client is the
// answer, "1", or "0" and a code of three digits (code.go), before the session ends.
//
// What holds of it:
//
//   - No two responses carry the same packet: a request takes the session from the one
//     before, and waits until that has ended. Clients drop no duplicates.
//   - A packet of the client has effect once, by its id. A "close" has effect wherever it
//     stands, as a client that resets throws away what should come before it.
//   - A response has at most 600 packets of at most 16 KiB where the client parses it as a
//     whole, and streams end behind a packet. A heartbeat is written when nothing was for five
//     seconds, so never close behind a packet.
//   - Clients are braked by the answers of their POSTs, one at a time: it waits while more
//     than 256 KiB wait for the backend. A backend is braked when the client takes nothing.
//
// # Where it differs from the original server
//
//   - "open" and what a lost response held come again until the client has it; a POST that
//     comes again is not taken twice.
//   - IPv6 addresses are targets too; the port is behind the last colon.
//   - A body has 1 MiB at most, which is 768 KiB of data; the original took any size. More
//     than that in one POST, and packets that make no sense, end the session.
//   - A long poll is held for --heartbeat if that is less than 30 s.
//   - A backend that ends its direction is closed, when it has got what was sent. There is no
//     half-close.
//   - Sessions without requests end after --linger rather than a minute.
//   - Answers have a content type where the original set none.
//   - There are none of /system, of the demos, of the protocol libraries and of the loggers;
//     an operator may serve those files with --static.
//
// # What old clients need
//
// A page may use the proxy when its origin is the proxy's own or is named by --origin.
// Browsers send no Origin with the GETs of the original client; then Referer or
// Sec-Fetch-Site must say whose they are, so pages must not be served with the referrer
// policy no-referrer. The original client asks for /tcp and /static at the root of
// its host, and has to be served without --prefix; ours finds the prefix.
//
// A page of another port or host gets in through the bridge, a page of the proxy's in a frame:
// browsers let the two touch each other when both set document.domain and are served with
// Origin-Agent-Cluster: ?0. We send that with xsdrBridge.html and xsdClose.html, to pages
// named by --origin only. What it loosens: while such a page is open, another page of the same
// host, or of the same domain when the bridge has to go that far, can reach into the bridge and
// use the proxy as the named page does. Our Orbited.js needs no bridge.
//
// The event stream of old Opera comes back after a failure with the acknowledgement it
// began with, and has no other but those of its POSTs: what came after the last of them comes
// again, and Opera's client does not notice. The bridge does not speak Opera's messages.
package orbited07
