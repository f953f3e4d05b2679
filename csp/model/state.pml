/* What the client, the server and the network remember. */

#define NONE  LINKS	/* no downlink */
#define GHOST (LINKS+1)	/* the server writes, and nobody will read it */

#define ID unsigned	/* of a packet; 0: none */

/* What may still go wrong. */
unsigned losses : 2 = LOSSES;
unsigned early : 2 = EARLY;
unsigned repeats : 2 = REPEATS;

/* The client: its sending half, its receiving half, its links. */
ID c_sent : 3;		/* highest id the page has queued */
ID c_end : 3;		/* id of the client's END */
ID c_acked : 3;		/* all up to it are released */
ID c_gone : 3;		/* highest id ever released: c_acked, unless it went back */
ID c_next : 3 = 1;	/* first id that no request has carried */
ID c_got : 3;		/* highest id received in order */
bit c_ended;		/* c_got was the server's END */
bit c_owed;		/* something arrived since the server was told c_got */
bit c_known;		/* the server's session id is known */
bit c_busy;		/* an uplink request waits for its answer */
bit c_over;
unsigned c_link : 3 = NONE;	/* the downlink that the client reads */
byte c_count[LINKS];	/* next id on each, by counting; 0: nothing was announced */
#define DEAF 8		/* instead: what comes on it is ignored */

/* The server. */
bit s_open;		/* the session exists */
bit s_over;
ID s_sent : 3;
ID s_end : 3;
ID s_acked : 3;
ID s_gone : 3;
ID s_taken : 3;		/* highest id that any link took */
ID s_next : 3 = 1;	/* first id that the attached link did not take */
ID s_got : 3;
bit s_ended;
byte s_held;		/* bit i: packet i is held above a gap */
unsigned s_link : 3 = NONE;	/* the attached downlink */
ID s_count : 3;		/* id that its reader expects next */
bit s_poll;		/* it ends with its first batch */
bit s_say;		/* it has an acknowledgement to say */
#ifdef BUG_KEY_FORGOTTEN
bit s_forgot;		/* the opening key is not known any more */
#endif
#ifdef BUG_DISPLACED_LINK_TAKES
bit s_displaced;	/* a link was displaced that still takes packets */
#endif

ID acted : 3;		/* what the server's handler got, whatever the session */

/* Requests on their way to the server, in no order. */
typedef request {
	bit used;
	bit fresh;		/* NEW, not RESUME */
	bit mine;		/* the exchange that c_busy waits for */
	bit ghost;		/* the browser's repetition of a downlink's request */
	bit poll;
	unsigned link : 3;	/* that it asks to attach; NONE: only an uplink */
	ID ack : 3;
	ID first : 3;		/* packets first..last; 0: none */
	ID last : 3
}
request r[REQUESTS];

/* Answers of uplink requests on their way to the client, in no order. */
typedef answer {
	bit used;
	bit mine;
	bit over;		/* CLOSE closed */
	ID ack : 3
}
answer a[REQUESTS];

/* Batches on their way on each downlink: SEQ (0: none), packets (0: none), ACK, CLOSE. */
chan wire[LINKS] = [BATCHES] of { byte, byte, byte, byte, bit };

/* Scratch of single steps; 0 between them. */
hidden byte i, j, id, n, low, high, seq;
hidden byte shut;

#define min(x, y) ((x) < (y) -> (x) : (y))

/* Whether a request for link l is on its way. */
#if REQUESTS == 2
#define asked(l) ((r[0].used && r[0].link == (l) && !r[0].ghost) || (r[1].used && r[1].link == (l) && !r[1].ghost))
#define request_free (!r[0].used || !r[1].used)
#define answer_free (!a[0].used || !a[1].used)
#define exchange_alive ((r[0].used && r[0].mine) || (r[1].used && r[1].mine) || (a[0].used && a[0].mine) || (a[1].used && a[1].mine))
#elif REQUESTS == 3
#define asked(l) ((r[0].used && r[0].link == (l) && !r[0].ghost) || (r[1].used && r[1].link == (l) && !r[1].ghost) || (r[2].used && r[2].link == (l) && !r[2].ghost))
#define request_free (!r[0].used || !r[1].used || !r[2].used)
#define answer_free (!a[0].used || !a[1].used || !a[2].used)
#define exchange_alive ((r[0].used && r[0].mine) || (r[1].used && r[1].mine) || (r[2].used && r[2].mine) || (a[0].used && a[0].mine) || (a[1].used && a[1].mine) || (a[2].used && a[2].mine))
#else
#error REQUESTS must be 2 or 3
#endif

/* Nothing will come on link l any more. */
#define dead(l) (!asked(l) && len(wire[l]) == 0 && s_link != (l))

/* The client may open link l: nothing of a former one in its place is under way. */
#define may_open(l) (!c_over && request_free && dead(l) && (c_link == NONE || dead(c_link) || (early > 0 && c_link != (l))))

/* Packets the client may have under way: a window above what is acknowledged. */
#define c_top min(c_sent, c_acked + WINDOW)
