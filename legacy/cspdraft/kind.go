package cspdraft

import (
	"fmt"

	"encke/legacy"
	"encke/whitelist"
)

// option is the setting of the protocol.
const option = "csp-target"

// Kind returns the protocol.
func Kind() legacy.Kind {
	return legacy.Kind{
		Options: []legacy.Option{{
			Name: option, Single: true,
			Usage: "`HOST:PORT` that each session of CSP is connected to, for pages made for a server of CSP; without it a page names its target in a first line",
		}},
		Configure: func(s legacy.Settings) (func(*legacy.Proxy) legacy.Protocol, error) {
			text := s.One(option)
			if text == "" {
				return New, nil
			}
			dest, err := whitelist.ParseHostPort(text)
			if err == nil && s.Rules != nil {
				err = legacy.Allowed(s.Rules, dest)
			}
			if err != nil {
				return nil, fmt.Errorf("--%s %s: %w", option, text, err)
			}
			return func(p *legacy.Proxy) legacy.Protocol { return (&adapter{p, &dest}).protocol() }, nil
		},
	}
}

// New returns the protocol as it is without settings.
func New(p *legacy.Proxy) legacy.Protocol { return (&adapter{p: p}).protocol() }
