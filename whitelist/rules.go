package whitelist

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Options loosen the rules. The zero value is the strict, recommended setting.
type Options struct {
	// AnyHost accepts rules that open any host: "*" and very wide CIDRs. A page
	// then reaches whatever this machine reaches, but for the refused ranges.
	AnyHost bool

	// AllowPrivate lets allowed names resolve to private addresses (10/8,
	// 172.16/12, 192.168/16, fc00::/7) without a rule for the address. Whoever
	// controls an allowed name can then point it at any machine inside.
	AllowPrivate bool

	// DropDenied makes CheckAddrs leave out refused addresses of a name and keep
	// the others. Default: one refused address refuses the target.
	DropDenied bool
}

// Rules says what may be reached. It is safe for use by many goroutines, apart
// from Deny. A nil *Rules and the zero one allow nothing. What is allowed depends on
// who asks, so only the Scope that From returns can be asked.
type Rules struct {
	opts Options
	list []Rule

	// The same rules, by who asks and what for.
	common  table             // without a source
	sources map[string]*table // canonical source

	own      map[netip.AddrPort]bool
	ownPorts map[uint16]bool // ports of own; true: on every address of this machine
}

// New makes rules from separate strings, such as the values of --allow flags.
// All bad ones are reported at once: the error is a *multierror.Error of
// *RuleError. No rule at all is an error too.
func New(rules ...string) (*Rules, error) { return Options{}.New(rules...) }

// Parse reads a file of rules: one on each line, "#" begins a comment, empty
// lines are skipped, lines may be 4,096 bytes long. Errors are as with New.
func Parse(r io.Reader) (*Rules, error) { return Options{}.Parse(r) }

// New is the function New with these options.
func (o Options) New(rules ...string) (*Rules, error) {
	var list []Rule
	var errs *multierror.Error
	for i, s := range rules {
		rule, err := parseRule(s, o)
		if err != nil {
			errs = multierror.Append(errs, newRuleError("rule", i+1, s, err))
			continue
		}
		list = append(list, rule)
	}
	if len(rules) == 0 {
		errs = multierror.Append(errs, errNoRule)
	}
	if err := errs.ErrorOrNil(); err != nil {
		return nil, err
	}
	return index(o, list), nil
}

var errNoRule = errors.New("no rule: nothing would be allowed; pass --allow HOST:PORT")

func index(o Options, list []Rule) *Rules {
	r := &Rules{
		opts:     o,
		list:     list,
		sources:  make(map[string]*table),
		own:      make(map[netip.AddrPort]bool),
		ownPorts: make(map[uint16]bool),
	}
	for _, rule := range list {
		t := &r.common
		if rule.source != "" {
			if t = r.sources[rule.source]; t == nil {
				t = new(table)
				r.sources[rule.source] = t
			}
		}
		t.add(rule)
	}
	return r
}

// Join returns rules that allow what either allows, with the options and own
// addresses of both, for flags beside a file. Either may be nil.
func (r *Rules) Join(more *Rules) *Rules {
	if r == nil || more == nil {
		if r == nil {
			r = more
		}
		return r
	}
	both := index(Options{
		AnyHost:      r.opts.AnyHost || more.opts.AnyHost,
		AllowPrivate: r.opts.AllowPrivate || more.opts.AllowPrivate,
		DropDenied:   r.opts.DropDenied || more.opts.DropDenied,
	}, slices.Concat(r.list, more.list))
	for _, from := range []*Rules{r, more} {
		for a := range from.own {
			both.Deny(a)
		}
	}
	return both
}

// List returns the rules in the order they were given.
func (r *Rules) List() []Rule {
	if r == nil {
		return nil
	}
	return slices.Clone(r.list)
}

// String returns the rules in canonical form, one on each line: a file that
// Parse reads.
func (r *Rules) String() string {
	var b strings.Builder
	for i, rule := range r.List() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(rule.String())
	}
	return b.String()
}
