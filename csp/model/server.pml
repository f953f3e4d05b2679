/* What the server does; each is (part of) one step. */

inline server_acked(k) {
	if
	:: k > s_acked ->
		assert(k <= s_taken);
		assert(k <= c_got);
		s_acked = k;
		if
		:: k > s_gone -> s_gone = k
		:: else
		fi;
		if
		:: s_next <= k -> s_next = k + 1
		:: else
		fi
	:: else
	fi
}

inline server_ends() {
	if
	:: s_end == 0 ->
		s_sent++;
		s_end = s_sent
	:: else
	fi
}

inline accept(k) {
	s_got = k;
	acted++;
	assert(s_got == acted);		/* no packet is acted on twice, or skipped */
	if
	:: s_got == c_end ->
		s_ended = 1;
		assert(s_got == c_sent)
	:: else
	fi
}

/* Packet k arrived: deliver it, hold it above a gap, or drop it. */
inline server_delivers(k) {
	if
#ifdef BUG_NO_DUPLICATE_CHECK
	:: s_ended
	:: !s_ended && k <= s_got + 1 ->
#else
	:: s_ended || k <= s_got
	:: !s_ended && k == s_got + 1 ->
#endif
		accept(k);
		do
		:: !s_ended && (s_held & (1 << (s_got + 1))) ->
			s_held = s_held & ~(1 << (s_got + 1));
			n = s_got + 1;
			accept(n);
			n = 0
		:: else -> break
		od
#ifdef BUG_END_OVERTAKES
	:: !s_ended && k > s_got + 1 && k == c_end ->
		s_got = k;
		s_ended = 1;
		assert(s_got == acted + 1)
#endif
	:: else ->
		assert(k - s_got <= WINDOW);	/* else protocol-error */
		s_held = s_held | (1 << k)
	fi
}

/* Link l takes over, beginning behind what the client has. */
inline attach(l, polls, speaks) {
#ifdef BUG_DISPLACED_LINK_TAKES
	if
	:: s_link < LINKS && s_link != l -> s_displaced = 1
	:: else
	fi;
#endif
	s_link = l;
	s_poll = polls;
	s_say = speaks;
	s_count = 0;
#if defined(BUG_NEWEST_ONLY)
	s_next = (s_sent > s_acked -> s_sent : s_acked + 1)
#elif defined(BUG_NO_REWIND)
	skip
#else
	s_next = s_acked + 1
#endif
}

/* What the server tells the client that it has. */
#ifdef BUG_ACK_ABOVE_GAP
#define s_tells (s_held & 32 -> 5 : (s_held & 16 -> 4 : (s_held & 8 -> 3 : (s_held & 4 -> 2 : s_got))))
#else
#define s_tells s_got
#endif

/* Request w takes effect, whole. */
inline serve(w) {
	if
	:: s_over ->
		if
		:: r[w].link == NONE ->
			find_answer();
			a[j].used = 1; a[j].mine = r[w].mine; a[j].over = 1;
			j = 0
		:: r[w].link != NONE && !r[w].ghost -> wire[r[w].link] ! 0, 0, 0, 0, 1
		:: else
		fi
	:: else ->
#ifdef BUG_KEY_FORGOTTEN
		/* the opening key is forgotten once the id has been used */
		if
		:: !r[w].fresh -> s_forgot = 1
		:: r[w].fresh && s_forgot ->	/* another session */
			s_forgot = 0; s_got = 0; s_held = 0; s_ended = 0
		:: else
		fi;
#endif
		s_open = 1;
		server_acked(r[w].ack);
		if
		:: r[w].first > 0 ->
			id = r[w].first;
			do
			:: id <= r[w].last -> server_delivers(id); id++
			:: else -> break
			od;
			id = 0
		:: else
		fi;
		if
		:: s_ended -> s_held = 0; server_ends()
		:: else
		fi;
		if
		:: r[w].link == NONE ->
			find_answer();
			a[j].used = 1; a[j].mine = r[w].mine; a[j].ack = s_tells;
			j = 0
		:: else ->
			/* a poll that resumes and carries nothing waits for packets */
			n = (r[w].ghost -> GHOST : r[w].link);
			low = r[w].poll;
#ifdef BUG_IMPATIENT_POLL
			high = 1;
#else
			high = (!low || r[w].fresh || r[w].first > 0);
#endif
			attach(n, low, high);
			n = 0; low = 0; high = 0
		fi;
		if
		:: s_ended && s_end > 0 && s_acked == s_end ->
			s_over = 1;
			s_link = NONE; s_poll = 0; s_say = 0; s_count = 0
		:: else
		fi
	fi;
	forget(w)
}

/* The server notices that link l is gone. */
inline unlink(l) {
	if
	:: s_link == l -> s_link = NONE; s_poll = 0; s_say = 0; s_count = 0
	:: else
	fi
}

#define may_take (s_link != NONE && (s_say || s_next <= s_sent) && (s_link == GHOST || len(wire[s_link]) < BATCHES))

/* The attached link takes packets s_next..upto, and an acknowledgement if it has one to say. */
inline take(upto) {
	d_step {
		n = (s_say -> s_tells : 0);
		high = upto;
		if
		:: high <= s_sent ->
			low = s_next;
			seq = (low == s_count -> 0 : low);
			s_count = high + 1;
			s_next = high + 1;
			if
			:: high > s_taken -> s_taken = high
			:: else
			fi;
			assert(low > s_gone)
		:: else -> low = 0; high = 0
		fi;
		if
		:: s_link != GHOST -> wire[s_link] ! seq, low, high, n, 0
		:: else
		fi;
#ifdef BUG_FORGET_ON_SEND
		server_acked(s_taken);
#endif
		s_say = 0;
		if
		:: s_poll -> s_link = NONE; s_poll = 0; s_count = 0
		:: else
		fi;
		n = 0; low = 0; high = 0; seq = 0
	}
}
