// Package hostile attacks a running proxy with requests that no honest page, client or
// balancer makes, byte for byte over raw TCP, because net/http's client would put most of
// them in order. Its tests show for each attack
//
//   - the answer: status, type, the exact fixed body, and that it is the only answer;
//   - that nothing of the request is in it, neither in the body nor in a header;
//   - that no session was made, no socket asked for and nothing dialled;
//   - that a session beside it goes on, which also shows that the proxy lives.
//
// Families of attacks are tables or made from tables, one file each; every attack has a
// name that says what it tries. TestHostileRequests runs them all and counts them.
// TestControls sends the same requests without what is hostile about them, so that an
// attack is refused for its reason and not because the test wrote it badly.
//
// Attacks that are no single request have tests of their own: forged targets and name
// servers (ssrf_test.go), sessions against each other (isolation_test.go), slow senders
// (slow_test.go), and the headers of every answer there is (crawl_test.go).
package hostile
