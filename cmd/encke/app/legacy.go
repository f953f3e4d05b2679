package app

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"encke/csp"
	"encke/legacy"
	"encke/legacy/cspdraft"
	"encke/legacy/orbited07"
	"encke/legacy/orbited08"
	"encke/legacy/orbited2"
	"encke/legacy/websockify"
	"encke/legacy/wisp"
	"encke/legacy/wsproxy"
	"encke/whitelist"
)

// protocols are the older protocols by the names of --legacy.
var protocols = map[string]legacy.Kind{
	"csp":        cspdraft.Kind(),
	"orbited07":  legacy.Plain(orbited07.New),
	"orbited08":  legacy.Plain(orbited08.New),
	"orbited2":   legacy.Plain(orbited2.New),
	"websockify": websockify.Kind(),
	"wisp":       wisp.Kind(),
	"wsproxy":    legacy.Plain(wsproxy.New),
}

// Legacy lists the older protocols that can be switched on.
func Legacy() []string { return slices.Sorted(maps.Keys(protocols)) }

// LegacyOptions lists their options.
func LegacyOptions() (all []legacy.Option) {
	for _, name := range Legacy() {
		all = append(all, protocols[name].Options...)
	}
	return all
}

// checkLegacy configures the protocols that are to be switched on, and reports to bad
// what is wrong with their settings.
func (c *Config) checkLegacy(rules *whitelist.Rules, bad func(setting string, err error)) map[string]func(*legacy.Proxy) legacy.Protocol {
	all := make(map[string]func(*legacy.Proxy) legacy.Protocol)
	for _, name := range c.Legacy {
		if _, ok := protocols[name]; !ok {
			bad("--legacy", fmt.Errorf("unknown protocol %q; the older protocols are %s", name, strings.Join(Legacy(), ", ")))
		}
	}
	for _, name := range Legacy() {
		kind := protocols[name]
		if slices.Contains(c.Legacy, name) {
			var err error
			all[name], err = kind.Configure(legacy.Settings{Values: c.LegacyOptions, Rules: rules})
			bad("--legacy "+name, err)
			continue
		}
		for _, o := range kind.Options {
			if len(c.LegacyOptions[o.Name]) > 0 {
				bad("--"+o.Name, fmt.Errorf("of no use without --legacy %s", name))
			}
		}
	}
	return all
}

// preview returns what the protocols are, with those that carry them, on a proxy that serves
// nobody.
func preview(switchedOn map[string]func(*legacy.Proxy) legacy.Protocol) (all []legacy.Protocol) {
	nobody := new(legacy.Proxy)
	for _, start := range switchedOn {
		p := start(nobody)
		all = append(all, p)
		if kind, ok := protocols[p.Over]; ok {
			if start, err := kind.Configure(legacy.Settings{}); err == nil {
				all = append(all, start(nobody))
			}
		}
	}
	return all
}

// wireLegacy mounts the older protocols that are switched on.
func (a *App) wireLegacy(set *settings) {
	p := &legacy.Proxy{
		Handler: a.handler, Sessions: a.sessions, Group: a.group,
		Heartbeat: a.heartbeat(), Linger: a.sessions.Linger(),
		Folders: a.folders, Log: a.log,
	}
	a.accept = make(map[string]func(*csp.Session) csp.Handler)
	for name, start := range set.legacy {
		protocol := start(p)
		a.mountLegacy(name, protocol)
		if protocol.Framing != nil {
			p.Framings = append(p.Framings, *protocol.Framing)
		}
		a.carryLegacy(protocol.Over, set, p)
	}
}

// carryLegacy mounts a protocol that carries others, unless it is switched on itself. Its own
// framing is not served then.
func (a *App) carryLegacy(name string, set *settings, p *legacy.Proxy) {
	_, mounted := a.accept[name]
	kind, ok := protocols[name]
	if !ok || mounted || set.legacy[name] != nil {
		return
	}
	if start, err := kind.Configure(legacy.Settings{}); err == nil {
		a.mountLegacy(name, start(p))
	}
}

func (a *App) mountLegacy(name string, protocol legacy.Protocol) {
	a.accept[name] = protocol.Accept
	if protocol.Folder != "" {
		a.taken = append(a.taken, protocol.Folder)
	}
	for path, h := range protocol.Routes {
		a.routes.Handle(a.cfg.Prefix+path, a.paced(a.guard(http.StripPrefix(a.cfg.Prefix, h))))
	}
}

// acceptSession makes what handles the bytes of a session.
func (a *App) acceptSession(s *csp.Session) csp.Handler {
	if accept := a.accept[s.Peer().Protocol]; accept != nil {
		return accept(s)
	}
	return a.sockets.Mux(s, a.callerOf(s))
}
