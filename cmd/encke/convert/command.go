package convert

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"encke/whitelist"
)

// command is the command line that is being put together, and what there is to say
// about it.
type command struct {
	general []string // comments about the whole
	notes   []note   // comments about lines
	options []option
	lost    int // things that were not converted

	seen  map[int]bool // lines that became an option or a comment
	names []string     // of hosts that browsers ask for, for --host
	inner bool         // a rule has a name that may have an address inside
}

type note struct {
	line int
	text string
}

type option struct{ name, value string }

// order is that of the options in the command.
var order = []string{"listen", "cert", "key", "host", "user", "group", "allow", "legacy", "static", "heartbeat", "linger", "log-level", "log-file"}

// option adds an option that comes from a line.
func (c *command) option(line int, name, value string) {
	if strings.ContainsFunc(value, unicode.IsControl) {
		c.lose(line, "%q: a control character", value)
		return
	}
	c.seen[line] = true
	if o := (option{name, value}); !slices.Contains(c.options, o) {
		c.options = append(c.options, o)
	}
}

// note says what a line means now.
func (c *command) note(line int, format string, args ...any) {
	c.seen[line] = true
	c.notes = append(c.notes, note{line, fmt.Sprintf(format, args...)})
}

// lose says why a line is not converted, and what to do.
func (c *command) lose(line int, format string, args ...any) {
	c.lost++
	c.note(line, "NOT CONVERTED: "+format, args...)
}

// loseAll says what is not converted and stands in no line.
func (c *command) loseAll(text string) {
	c.lost++
	c.general = append(c.general, "NOT CONVERTED: "+text)
}

func (c *command) has(name string) bool {
	return slices.ContainsFunc(c.options, func(o option) bool { return o.name == name })
}

// allow adds the rule for a source, * for all, and a target, and reports whether it could.
func (c *command) allow(line int, source, host, port string) bool {
	dest, err := whitelist.ParseHostPort(host + ":" + port)
	if err != nil {
		c.lose(line, "%v", err)
		return false
	}
	rules, err := whitelist.New(source + " -> " + dest.String())
	if err != nil {
		var bad *whitelist.RuleError
		errors.As(err, &bad)
		c.lose(line, "%q: %s", bad.Text, bad.Problem)
		return false
	}
	rule := rules.List()[0]
	if asked, _, _ := strings.Cut(rule.Source(), ":"); !strings.HasPrefix(asked, "[") {
		c.name(asked)
	} else { // an IPv6 address
		asked, _, _ = strings.Cut(rule.Source()[1:], "]")
		c.name(asked)
	}
	if _, err := netip.ParseAddr(dest.Host); err != nil && dest.Host != "localhost" {
		c.inner = true
	}
	c.option(line, "allow", rule.String())
	return true
}

// name notes a host that browsers ask for.
func (c *command) name(host string) {
	a, err := netip.ParseAddr(host)
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && (a.IsLoopback() || a.IsUnspecified()) {
		return
	}
	if !slices.Contains(c.names, host) {
		c.names = append(c.names, host)
	}
}

// finish says what is true of the whole.
func (c *command) finish() {
	for _, name := range c.names {
		c.options = append(c.options, option{"host", name})
	}
	if c.has("host") {
		c.general = append(c.general, "Browsers may ask for the proxy by the names of --host and loopback ones only; by any before.")
	} else {
		c.general = append(c.general, "Browsers may ask for the proxy by loopback names only; by any before. Add --host NAME for each other.")
	}
	c.general = append(c.general, "Pages that the proxy does not serve itself, on whichever port, need --origin, such as https://www.example.org.")
	if c.inner {
		c.general = append(c.general, "A name that leads to an address inside is refused unless a rule names that address too, or with --allow-private.")
	}
	if c.has("user") && c.has("log-file") {
		c.general = append(c.general, "The log file is opened as the user that encke becomes, who must be allowed to write it.")
	}
	if !c.has("allow") {
		c.loseAll("no rule: nothing could be reached, so encke does not start; add --allow HOST:PORT")
	}
	slices.SortStableFunc(c.notes, func(a, b note) int { return a.line - b.line })
	slices.SortStableFunc(c.options, func(a, b option) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
}

// String returns the script.
func (c *command) String() string {
	var b strings.Builder
	for _, comment := range c.general {
		fmt.Fprintf(&b, "# %s\n", comment)
	}
	for _, n := range c.notes {
		fmt.Fprintf(&b, "# line %d: %s\n", n.line, printable(n.text))
	}
	b.WriteString("encke")
	for _, o := range c.options {
		fmt.Fprintf(&b, " \\\n  --%s %s", o.name, quote(o.value))
	}
	b.WriteString("\n")
	return b.String()
}

// printable has nothing that ends a comment or speaks to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// quote writes a word for a POSIX shell.
func quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:/@%+="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
