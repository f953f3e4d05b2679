// Package cspdraft is the Comet Session Protocol as its draft has it and as its clients speak
// it: the resources handshake, comet, send, close and streamtest below /csp. A session is
// one of package csp; this package is the wire around it. It serves short polls, long
// polls, streams, SSE, script tags and frames, which differ in the variables of a request:
//
//	rp rs   what is put around the answers of handshake, send and close
//	bp bs   what is put around each batch; p and ps, what a comet answer begins with
//	du is i how long comet waits, whether it goes on behind a batch, after how much silence
//	        an empty one is sent
//	ct se   the content type; lines that make batches events
//	s a d   the session, the highest packet that arrived, packets
//
// Variables stay with a session until they are set again; an answer is made with those of
// its own request. What the bytes of a session mean, their beginning tells: a line HOST:PORT is
// this package's own framing (line.go), others are plugged in (legacy.Framing).
// Pages that were made for one server of CSP say no such line; --csp-target names what they are
// all connected to: at once if no other framing is served, else behind their first bytes.
//
// # Where it differs from the draft
//
//   - No text of a request is in an answer, but names of callbacks. Other prefixes, suffixes,
//     preambles and types must be those of the draft's transports (profiles.go), else the
//     request is refused with 400. The type text/html is sent to the iframe transport only.
//   - A call begins with /**/, so that no answer begins with letters of a stranger's choice.
//   - Numbers have bounds: du and i 60 s, ps 4096. Larger ones are cut.
//   - reflect is not served. g means nothing: nothing is compressed.
//   - A page may use it that may use the proxy at all; GET requests, which have no dependable
//     Origin, are judged by Referer and Sec-Fetch-Site. A session belongs to the origin that
//     opened it.
//   - SSE events end with the empty line that the draft forgets.
//   - The end of a session that was not told yet is a null packet, the one behind the
//     highest that the client has. Later requests are answered as if all were well for a
//     minute if the client has closed it, else by a 404 with the words that clients know;
//     scripts and frames, which see no status, get the null packet.
//   - A batch that is malformed, and a gap that is too wide or stays, end the session.
//   - There is no flow control, so the answer to send waits while backends do not take what
//     came before, and backends are not read while the client does not ask.
//   - Raw bytes above 0x7f in a JSON string, which Firefox 3 could send, are refused.
package cspdraft
