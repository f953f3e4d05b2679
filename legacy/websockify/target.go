package websockify

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/hashicorp/go-multierror"

	"encke/legacy"
	"encke/whitelist"
)

// target is one of those that the operator named.
type target struct {
	dest         whitelist.Dest
	subprotocols []string
}

// targets are those there are by name; "" is the default.
type targets map[string]target

var (
	nameForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,256}$`)
	// protocolForm leaves out what HTTP allows in a token and no subprotocol has.
	protocolForm = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,64}$`)
)

// parseTargets parses values of --target, NAME=HOST:PORT[;SUBPROTOCOL,...], and files.
func parseTargets(values, files []string, rules *whitelist.Rules) (targets, error) {
	all := make(targets)
	var errs *multierror.Error
	for _, value := range values {
		name, rest, named := strings.Cut(value, "=")
		if !named {
			name, rest = "", value
		}
		if err := all.add(name, rest, named, rules); err != nil {
			errs = multierror.Append(errs, fmt.Errorf("--target %s: %w", value, err))
		}
	}
	for _, file := range files {
		err := legacy.ReadFile("target-file", file, func(r io.Reader) error { return all.parse(r, rules) })
		if err != nil {
			errs = multierror.Append(errs, err)
		}
	}
	if len(values)+len(files) == 0 {
		errs = multierror.Append(errs, errors.New("--target: none is named, so nothing could be reached"))
	}
	return all, errs.ErrorOrNil()
}

// parse adds those of a file: on each line a name, a colon and a space, and the target. Empty
// lines and those that begin with "#" are skipped.
func (all targets) parse(r io.Reader, rules *whitelist.Rules) error {
	var errs *multierror.Error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, named := strings.Cut(line, ":")
		err := errors.New("write it like NAME: HOST:PORT")
		if named {
			err = all.add(strings.TrimSpace(name), strings.TrimSpace(rest), true, rules)
		}
		if err != nil {
			errs = multierror.Append(errs, fmt.Errorf("line %d: %w", n, err))
		}
	}
	if err := lines.Err(); err != nil {
		errs = multierror.Append(errs, err)
	}
	return errs.ErrorOrNil()
}

// add adds one. rest is HOST:PORT[;SUBPROTOCOL,...].
func (all targets) add(name, rest string, named bool, rules *whitelist.Rules) error {
	if named && !nameForm.MatchString(name) {
		return fmt.Errorf("the name %q: 1 to 256 letters, digits or any of -._~", name)
	}
	if _, twice := all[name]; twice {
		if !named {
			return errors.New("there is another target without a name")
		}
		return errors.New("there is another target of this name")
	}
	address, list, more := strings.Cut(rest, ";")
	t := target{}
	var err error
	if t.dest, err = whitelist.ParseHostPort(address); err != nil {
		return err
	}
	if more {
		t.subprotocols = strings.Split(list, ",")
	}
	for _, s := range t.subprotocols {
		if !protocolForm.MatchString(s) || strings.EqualFold(s, "base64") {
			return fmt.Errorf("the subprotocol %q: 1 to 64 letters, digits or any of -._+, and not base64", s)
		}
	}
	if rules != nil {
		if err := legacy.Allowed(rules, t.dest); err != nil {
			return err
		}
	}
	all[name] = t
	return nil
}
