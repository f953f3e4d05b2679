package legacy

import (
	"fmt"
	"slices"

	"encke/whitelist"
)

// Kind is a protocol before it is switched on.
type Kind struct {
	// Options are its settings, flags of the command; no two protocols have one of the
	// same name.
	Options []Option

	// Configure checks the settings and returns what switches the protocol on. The error,
	// or each of a *multierror.Error, begins with the option that it is about.
	Configure func(Settings) (func(*Proxy) Protocol, error)
}

// Plain is a protocol without settings.
func Plain(start func(*Proxy) Protocol) Kind {
	return Kind{Configure: func(Settings) (func(*Proxy) Protocol, error) { return start, nil }}
}

// Option is a setting.
type Option struct {
	Name   string // of the flag, without dashes
	Usage  string // `WORD` in it stands for the value
	Single bool   // it has one value, any text; else it may be repeated, and no value has a space
}

// Settings are what the operator has set.
type Settings struct {
	Values map[string][]string // by the name of the option
	Rules  *whitelist.Rules    // nil: they are wrong, and that is said elsewhere
}

// One returns the value of an option that has one, or nothing.
func (s Settings) One(name string) string {
	if values := s.Values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Allowed returns what is wrong with a target that no rule lets anybody reach.
func Allowed(rules *whitelist.Rules, dest whitelist.Dest) error {
	reach := func(source string) bool { return rules.From(source).Check(dest) == nil }
	if reach("") || slices.ContainsFunc(rules.List(), func(r whitelist.Rule) bool { return r.Source() != "" && reach(r.Source()) }) {
		return nil
	}
	return fmt.Errorf("no rule allows it; --allow %s would", dest)
}
