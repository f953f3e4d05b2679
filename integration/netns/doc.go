// Package netns makes networks that tests may break: two network namespaces, one for
// the clients and one for the proxy and its backends, and a wire between them.
//
//	w := netns.NewWire(t)                          // skips t, and says why, where it can not
//	w.Server.Do(func() { b = backend.Echo(t) })    // what listens here is in that namespace
//	conn, err := w.Client.Dial(ctx, "tcp", addr)   // a socket stays where it was made
//	w.Down(); w.Up(); w.Move(); w.Lose(10); w.Rate(800); w.Cut()
//
// A namespace has no name. It is held by a descriptor of this process alone, and what it
// contains (links, addresses, rules, queues) goes when the process ends, however it ends.
// Nothing is changed outside of these namespaces.
//
// It knows nothing of Encke. It needs root, ip (iproute2) and nft (nftables).
package netns
