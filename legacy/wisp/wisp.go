package wisp

import (
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/hashicorp/go-multierror"

	"encke/cause"
	"encke/legacy"
)

// maxMOTD is the size of a message of the day, in bytes.
const maxMOTD = 4 << 10

// server is the protocol with its settings.
type server struct {
	proxy     *legacy.Proxy
	passwords *legacy.Reread[passwords] // nil: none is asked for
	motd      string
}

// Kind returns the protocol.
func Kind() legacy.Kind {
	return legacy.Kind{
		Options: []legacy.Option{
			{Name: "wisp-password-file", Usage: "`FILE` with NAME:PASSWORD on each line; only who gives one of them may use Wisp, and version 2 of it; read again when it has changed", Single: true},
			{Name: "wisp-motd", Usage: "`TEXT` that Wisp clients may show", Single: true},
		},
		Configure: configure,
	}
}

func configure(s legacy.Settings) (func(*legacy.Proxy) legacy.Protocol, error) {
	v := &server{motd: s.One("wisp-motd")}
	var errs *multierror.Error
	if len(v.motd) > maxMOTD || !utf8.ValidString(v.motd) {
		errs = multierror.Append(errs, fmt.Errorf("--wisp-motd: %d bytes, or no UTF-8; %d bytes at most", len(v.motd), maxMOTD))
	}
	if name := s.One("wisp-password-file"); name != "" {
		var err error
		v.passwords, err = legacy.NewReread([]string{name}, func() (all passwords, err error) {
			err = legacy.ReadFile("wisp-password-file", name, func(r io.Reader) (err error) {
				all, err = parsePasswords(r)
				return err
			})
			return all, err
		})
		if err != nil {
			errs = multierror.Append(errs, err)
		}
	}
	return func(p *legacy.Proxy) legacy.Protocol {
		v.proxy = p
		h := p.Handler.Guard(false, v.serve)
		return legacy.Protocol{Routes: map[string]http.Handler{"/wisp/": h, "/wisp": h}}
	}, errs.ErrorOrNil()
}

func (v *server) serve(w http.ResponseWriter, r *http.Request, origin string) {
	if r.URL.Path != "/wisp/" && r.URL.Path != "/wisp" {
		http.Error(w, "Wisp is at /wisp/", http.StatusNotFound)
		return
	}
	second := len(r.Header.Values("Sec-WebSocket-Protocol")) > 0
	v.proxy.WebSocket(w, r, origin, []string{"wisp-v2"}, func(l *legacy.Link) *cause.Error {
		s := &session{Link: l, server: v, remote: r.RemoteAddr, streams: make(map[uint32]*stream)}
		if why := s.greet(second); why != nil {
			return why
		}
		return s.run()
	})
}
