/* What the client does; each is (part of) one step. */

/* ACK n: release all packets up to n, which the server must have. */
inline client_acked(k) {
	if
#ifdef BUG_ACK_GOES_BACK
	:: k != c_acked ->
#else
	:: k > c_acked ->
#endif
		assert(k <= c_sent);	/* else protocol-error */
		assert(k <= s_got);	/* nothing is released that the receiver lacks */
		c_acked = k;
		if
		:: k > c_gone -> c_gone = k
		:: else
		fi
	:: else
	fi;
	client_maybe_over()
}

inline client_maybe_over() {
	if
	:: !c_over && c_ended && c_end > 0 && c_acked == c_end ->
		client_closes()
	:: else
	fi
}

/* The session is over for the client: then both streams are whole. */
inline client_closes() {
	assert(c_end > 0 && c_got == s_sent && c_got == s_end && s_got == c_sent && s_got == c_end);
	c_over = 1;
	c_busy = 0
}

/* The page, or the END of the server, ends the client's stream. */
inline client_ends() {
	if
	:: c_end == 0 ->
		c_sent++;
		c_end = c_sent
	:: else
	fi
}

/* Packet k arrived with this content. */
inline client_delivers(k, content) {
	c_owed = 1;
	if
	:: c_ended || k <= c_got
	:: !c_ended && k == c_got + 1 ->
		assert(content == k);		/* once, in order, the right one */
		c_got = k;
		if
		:: k == s_end ->
			c_ended = 1;
			assert(c_got == s_sent);	/* END comes after everything */
			client_ends()
		:: else
		fi
	:: else ->
		assert(false)			/* a link leaves no gap */
	fi
}

/* Writes request w: RESUME or NEW, and packets from..c_top. */
inline compose(w, l, polls, own, from) {
	r[w].used = 1;
	r[w].fresh = !c_known;
	r[w].mine = own;
	r[w].poll = polls;
	r[w].link = l;
#ifdef BUG_RESUME_FROM_WRONG_ID
	r[w].ack = (c_known && c_got < s_sent -> c_got + 1 : c_got);
#else
	r[w].ack = c_got;
#endif
	if
	:: from > 0 && from <= c_top ->
		assert(from > c_gone);	/* what is released can not be sent again */
		r[w].first = from;
		r[w].last = c_top;
		if
		:: c_top >= c_next -> c_next = c_top + 1
		:: else
		fi
	:: else
	fi
}

/* Opens link l. Without an id all packets go along; later they may. */
inline open_link(l, polls, carry) {
	d_step {
		if
		:: c_link != NONE && !dead(c_link) -> early--
		:: else
		fi;
		c_link = l;
		c_count[l] = 0;
		find_request();
		low = (carry -> c_acked + 1 : 0);
		compose(i, l, polls, 0, low);
		c_owed = 0;
		i = 0; low = 0
	}
}

/* Sends the packets that are not acknowledged, and the acknowledgement. */
inline exchange() {
	find_request();
	low = c_acked + 1;
	compose(i, NONE, 0, 1, low);
	i = 0; low = 0;
	c_owed = 0;
	c_busy = 1
}

/* The exchange that was waited for is one that was given up. */
inline disown() {
	n = 0;
	do
	:: n < REQUESTS ->
		r[n].mine = 0;
		a[n].mine = 0;
		n++
	:: else -> break
	od;
	n = 0
}

/* A batch arrived on downlink l, and ids are counted as those of link counter. */
inline client_receives(l, counter) {
	wire[l] ? seq, low, high, n, shut;
	c_known = 1;
	if
	:: shut -> client_closes()
	:: else ->
		client_acked(n);
		if
		:: low > 0 ->
			if
#ifdef BUG_SEQ_IGNORED
			:: seq > 0 && c_count[counter] == 0 -> c_count[counter] = seq
#else
			:: seq > 0 -> c_count[counter] = seq
#endif
			:: else
			fi;
			assert(c_count[counter] > 0);	/* no packet without an id */
			do
			:: low <= high ->
				client_delivers(c_count[counter], low);
				c_count[counter]++;
				low++
			:: else -> break
			od
		:: else
		fi;
		client_maybe_over()
	fi;
	seq = 0; low = 0; high = 0; n = 0; shut = 0
}

inline client_answered(k) {
	d_step {
		n = a[k].ack;
		shut = a[k].over;
		if
		:: a[k].mine -> c_busy = 0
		:: else
		fi;
		a[k].used = 0; a[k].mine = 0; a[k].over = 0; a[k].ack = 0;
		if
		:: c_over
		:: !c_over && shut -> client_closes()
		:: else -> client_acked(n)
		fi;
		n = 0; shut = 0
	}
}
