package websockify

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"encke/cause"
	"encke/legacy"
)

// Kind returns the protocol.
func Kind() legacy.Kind {
	return legacy.Kind{
		Options: []legacy.Option{
			{Name: "target", Usage: "`[NAME=]HOST:PORT[;SUBPROTOCOL,...]` that websockify clients reach as /websockify?token=NAME or /websockify/NAME"},
			{Name: "target-file", Usage: "`FILE` of such targets, NAME: HOST:PORT on each line; read again when it has changed"},
		},
		Configure: func(s legacy.Settings) (func(*legacy.Proxy) legacy.Protocol, error) {
			files := s.Values["target-file"]
			named, err := legacy.NewReread(files, func() (targets, error) { return parseTargets(s.Values["target"], files, s.Rules) })
			return func(p *legacy.Proxy) legacy.Protocol {
				h := p.Handler.Guard(false, func(w http.ResponseWriter, r *http.Request, origin string) { named.Value(p.Log).serve(p, w, r, origin) })
				return legacy.Protocol{Routes: map[string]http.Handler{"/websockify": h, "/websockify/": h}}
			}, err
		},
	}
}

// common are subprotocols for which the bytes of a TCP connection are the same.
var common = []string{"binary", "mqtt", "mqttv3.1", "v12.stomp", "v11.stomp", "v10.stomp"}

func (all targets) serve(p *legacy.Proxy, w http.ResponseWriter, r *http.Request, origin string) {
	name, err := tokenOf(r.URL.Path, r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if onlyBase64(r.Header.Values("Sec-WebSocket-Protocol")) {
		http.Error(w, "base64 is not spoken here: offer binary, or no subprotocol", http.StatusBadRequest)
		return
	}
	t, known := all[name]
	p.WebSocket(w, r, origin, slices.Concat(t.subprotocols, common), func(l *legacy.Link) *cause.Error {
		if !known { // a token may be a secret: it is not logged
			p.Log.Warn("denied", "reason", "no such target of websockify", "remote", r.RemoteAddr, "origin", origin)
			return cause.Denied.With("this target is not allowed")
		}
		return l.Relay(t.dest)
	})
}

// tokenOf returns the name that a request asks for, "" for the default.
func tokenOf(path, query string) (string, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(path, "/websockify"), "/")
	token, err := legacy.Parameter(query, "token")
	if err != nil {
		return "", err
	}
	if name != "" && token != "" && name != token {
		return "", errors.New("one target in the path, another in the query")
	}
	if name == "" {
		name = token
	}
	return name, nil
}

// onlyBase64 says that a client can speak nothing else.
func onlyBase64(offers []string) bool {
	all := strings.Split(strings.Join(offers, ","), ",")
	return !slices.ContainsFunc(all, func(s string) bool { return !strings.EqualFold(strings.TrimSpace(s), "base64") })
}
