/*
 * The session protocol of ../PROTOCOL.md: two numbered streams with cumulative
 * acknowledgements, over links and requests that are lost, repeated, overtaken,
 * cut and displaced. README.md says what is modelled, what is left out, and what
 * a run proves.
 *
 * One process: whatever may happen next is an option of its loop, and one option
 * is one step. Every step either moves something on or uses up a budget of things
 * going wrong, so that no run is endless (checked: non-progress cycles).
 *
 * The content of packet i is the number i, so that "once, in order" is an assertion
 * where a packet is delivered.
 */

#ifndef UP
#define UP 1		/* packets of the client before its END */
#endif
#ifndef DOWN
#define DOWN 2		/* packets of the server before its END */
#endif
#ifndef LOSSES
#define LOSSES 1	/* requests, answers or links that are lost */
#endif
#ifndef EARLY
#define EARLY 1		/* times the client gives up something that still works */
#endif
#ifndef REPEATS
#define REPEATS 1	/* requests that the network carries twice */
#endif
#ifndef REQUESTS
#define REQUESTS 2	/* requests on their way to the server at a time */
#endif
#ifndef LINKS
#define LINKS 2		/* downlinks that still have something on their way */
#endif
#ifndef BATCHES
#define BATCHES 2	/* batches on their way on one downlink */
#endif
#ifndef WINDOW
#define WINDOW 2	/* packets that may be unacknowledged, and held above a gap */
#endif

#include "state.pml"
#include "network.pml"
#include "client.pml"
#include "server.pml"

active proctype world() {
	do
	/* The page and the backend. */
	:: d_step { !c_over && c_end == 0 && c_sent < UP && c_sent - c_acked < WINDOW -> c_sent++ }
	:: d_step { !c_over && c_end == 0 && c_sent == UP -> client_ends() }
	:: d_step { s_open && !s_over && s_end == 0 && s_sent < DOWN && s_sent - s_acked < WINDOW -> s_sent++ }
	:: d_step { s_open && !s_over && s_end == 0 && s_sent == DOWN -> server_ends() }

	/* The client opens a downlink: stream or poll, with or without packets. */
#define OPEN(l) \
	:: atomic { may_open(l) -> \
		if \
		:: open_link(l, 0, 1) \
		:: c_known && c_sent > c_acked -> open_link(l, 0, 0) \
		:: open_link(l, 1, 1) \
		:: c_known && c_sent > c_acked -> open_link(l, 1, 0) \
		fi }
	OPEN(0)
	OPEN(1)
#if LINKS > 2
	OPEN(2)
#endif

	/* The client's uplink: one exchange, repeated until it is answered; others run ahead. */
	:: d_step { !c_over && c_known && !c_busy && request_free && (c_sent > c_acked || c_owed) -> exchange() }
#ifndef BUG_NOT_REPEATED
	:: d_step { !c_over && c_busy && request_free && !exchange_alive -> exchange() }
#endif
	:: d_step { !c_over && c_busy && request_free && exchange_alive && early > 0 -> early--; disown(); exchange() }
	:: d_step { !c_over && c_busy && request_free && c_next <= c_top ->
		find_request(); compose(i, NONE, 0, 0, c_next); i = 0 }

	/* What arrives at the client. */
#define RECEIVE(l) \
	:: d_step { !c_over && c_link == l && len(wire[l]) > 0 -> client_receives(l, l) }
	RECEIVE(0)
	RECEIVE(1)
#if LINKS > 2
	RECEIVE(2)
#endif
	/* A link that was replaced may still be read, until something of it is ignored. */
#ifdef BUG_DISPLACED_LINK_COUNTED
#define COUNTER(l) c_link
#else
#define COUNTER(l) l
#endif
#define STALE(l) \
	:: d_step { !c_over && c_link != l && c_count[l] != DEAF && len(wire[l]) > 0 -> client_receives(l, COUNTER(l)) } \
	:: d_step { (c_over || c_link != l) && len(wire[l]) > 0 -> wire[l] ? _, _, _, _, _; c_count[l] = DEAF }
	STALE(0)
	STALE(1)
#if LINKS > 2
	STALE(2)
#endif
	:: a[0].used -> client_answered(0)
	:: a[1].used -> client_answered(1)
#if REQUESTS > 2
	:: a[2].used -> client_answered(2)
#endif

	/* What arrives at the server, and what its link takes. */
#define SERVE(w) \
	:: d_step { r[w].used && (r[w].link != NONE || answer_free) -> serve(w) }
	SERVE(0)
	SERVE(1)
#if REQUESTS > 2
	SERVE(2)
#endif
	:: may_take -> take(s_next)
	:: may_take && s_next < s_sent -> take(s_sent)
#ifdef BUG_DISPLACED_LINK_TAKES
	:: d_step { s_displaced && s_next <= s_sent -> s_taken = (s_next > s_taken -> s_next : s_taken); s_next++ }
#endif

	/* What goes wrong. */
#define LOSE(w) \
	:: d_step { losses > 0 && r[w].used -> losses--; forget(w) } \
	:: d_step { losses > 0 && a[w].used -> losses--; a[w].used = 0; a[w].mine = 0; a[w].over = 0; a[w].ack = 0 } \
	:: repeats > 0 && r[w].used && !r[w].ghost && request_free -> repeat_request(w)
	LOSE(0)
	LOSE(1)
#if REQUESTS > 2
	LOSE(2)
#endif
	/* A downlink is cut, with all that is on its way. The server may not notice. */
#define CUT(l) \
	:: d_step { losses > 0 && s_link == l -> drain(l); losses--; s_link = GHOST } \
	:: d_step { losses > 0 && (s_link == l || len(wire[l]) > 0) -> drain(l); unlink(l); losses-- }
	CUT(0)
	CUT(1)
#if LINKS > 2
	CUT(2)
#endif

	/* Whatever may still be on its way then, the client has nothing more to do. */
	:: c_over -> break
	od
}
