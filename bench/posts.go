package main

import "sync"

// posts sends messages in POSTs, one at a time: what is written while one is under way goes
// together with the next, as in sockjs-client, engine.io-client and TCPSocket.js.
type posts struct {
	send func(queue []byte, n int) error // one POST with the n messages that add has appended
	most int                             // messages in one POST; 0: any number

	mu      sync.Mutex
	cond    *sync.Cond
	queue   []byte
	spare   []byte // the last queue
	n       int    // messages in queue
	running bool
	err     error
}

// postBound is how many bytes wait before add does.
const postBound = 256 << 10

func newPosts(most int, send func(queue []byte, n int) error) *posts {
	q := &posts{send: send, most: most}
	q.cond = sync.NewCond(&q.mu)
	return q
}

// add queues n messages, which message appends.
func (q *posts) add(n int, message func(queue []byte) []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.n > 0 && (len(q.queue) >= postBound || q.most > 0 && q.n+n > q.most) && q.err == nil {
		q.cond.Wait()
	}
	if q.err != nil {
		return q.err
	}
	q.queue = message(q.queue)
	q.n += n
	if !q.running {
		q.running = true
		go q.run() // until the queue is empty
	}
	return nil
}

func (q *posts) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.n > 0 && q.err == nil {
		queue, n := q.queue, q.n
		q.queue, q.n = q.spare[:0], 0
		q.cond.Broadcast()
		q.mu.Unlock()
		err := q.send(queue, n)
		q.mu.Lock()
		q.spare, q.err = queue, err
	}
	q.running = false
	q.cond.Broadcast()
}
