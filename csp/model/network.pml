/* Places for what is on its way, and what the network does to it. */

inline find_request() {
	i = 0;
	do
	:: r[i].used -> i++
	:: else -> break
	od
}

inline find_answer() {
	j = 0;
	do
	:: a[j].used -> j++
	:: else -> break
	od
}

inline forget(w) {
	r[w].used = 0; r[w].fresh = 0; r[w].mine = 0; r[w].ghost = 0; r[w].poll = 0;
	r[w].link = 0; r[w].ack = 0; r[w].first = 0; r[w].last = 0
}

/* The network carries request w twice. Only one answer reaches the client. */
inline repeat_request(w) {
	d_step {
		repeats--;
		find_request();
		r[i].used = 1; r[i].fresh = r[w].fresh; r[i].poll = r[w].poll;
		r[i].link = r[w].link; r[i].ack = r[w].ack; r[i].first = r[w].first; r[i].last = r[w].last;
		r[i].ghost = (r[w].link != NONE);
		i = 0
	}
}

inline drain(l) {
	do
	:: len(wire[l]) > 0 -> wire[l] ? _, _, _, _, _
	:: else -> break
	od
}
