package convert

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is a line of a section: KEY = VALUE, or in [listen] and [access] a value alone.
type entry struct {
	key, value string
	line       int
}

// sections are those of Orbited 0.7 and 0.8; true: their lines have no key.
var sections = map[string]bool{
	"global": false, "listen": true, "ssl": false, "static": false, "access": true, "logging": false, "loggers": false, "test": false,
}

// orbited is a configuration of Orbited 0.7 or 0.8 in parts.
type orbited struct {
	*command
	lists  map[string][]entry // by section
	legacy string
}

// readINI converts a configuration of Orbited 0.7 or 0.8.
func (c *command) readINI(text, legacy string) {
	o := orbited{c, make(map[string][]entry), legacy}
	o.split(text)
	o.global()
	o.listen()
	o.access()
	o.static()
	o.logging()
	for _, e := range o.lists["loggers"] {
		c.lose(e.line, "[loggers] %s: loggers have no names here; --log-level holds for all", e.key)
	}
	for _, e := range o.lists["test"] {
		switch {
		case e.key != "stompdispatcher.enabled":
			o.unknown("test", e)
		case e.value == "0":
			c.note(e.line, "[test] %s: there is none", e.key)
		default:
			c.lose(e.line, "[test] %s: there is no injector of STOMP messages; send them to the broker itself", e.key)
		}
	}
}

// split sorts the lines by their sections. In sections with keys the last line with a key
// counts.
func (o *orbited) split(text string) {
	section, known := "", false
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = strings.TrimSpace(line[1 : len(line)-1])
			if _, known = sections[section]; !known {
				o.lose(n, "%q is no section of Orbited; the lines below it are left out", line)
			}
			continue
		}
		switch {
		case section == "" && !known:
			o.lose(n, "%q: no section has begun", line)
		case !known:
			o.lose(n, "%q: of a section that is unknown", line)
		case sections[section]:
			o.lists[section] = append(o.lists[section], entry{value: line, line: n})
		default:
			key, value, ok := strings.Cut(line, "=")
			e := entry{strings.TrimSpace(key), strings.TrimSpace(value), n}
			if !ok || e.key == "" || e.value == "" {
				o.lose(n, "%q: not KEY = VALUE", line)
				continue
			}
			list := o.lists[section]
			if i := slices.IndexFunc(list, func(old entry) bool { return old.key == e.key }); i >= 0 {
				o.note(list[i].line, "[%s] %s: given again in line %d, which counted", section, e.key, n)
				list = slices.Delete(list, i, i+1)
			}
			o.lists[section] = append(list, e)
		}
	}
}

func (o *orbited) unknown(section string, e entry) {
	o.lose(e.line, "[%s] %s: Orbited had no such entry", section, e.key)
}

func (o *orbited) global() {
	proxy, group := true, entry{}
	for _, e := range o.lists["global"] {
		switch e.key {
		case "reactor":
			o.note(e.line, "[global] reactor: encke uses what the system has; nothing to choose")
		case "proxy.enabled":
			if e.value == "1" {
				o.note(e.line, "[global] proxy.enabled: --legacy %s", o.legacy)
				continue
			}
			proxy = e.value != "0"
			o.lose(e.line, "[global] proxy.enabled = %s: without the proxy there is nothing for encke to do; a web server serves files", e.value)
		case "session.ping_interval":
			o.seconds(e, "heartbeat", time.Minute)
		case "session.ping_timeout":
			o.seconds(e, "linger", 24*time.Hour)
		case "user":
			if e.value == "root" || e.value == "0" {
				o.lose(e.line, "[global] user: without --user encke stays root and warns; better name another user")
				continue
			}
			o.option(e.line, "user", e.value)
		case "group":
			group = e
		default:
			o.unknown("global", e)
		}
	}
	if o.has("user") && group.line > 0 {
		o.option(group.line, "group", group.value)
	} else if group.line > 0 {
		o.lose(group.line, "[global] group without a user; say --user as well")
	}
	if proxy {
		o.options = append(o.options, option{"legacy", o.legacy})
	}
}

// seconds adds an option that is a time of at most max.
func (o *orbited) seconds(e entry, name string, most time.Duration) {
	n, err := strconv.Atoi(e.value)
	if err != nil || n < 1 {
		o.lose(e.line, "[global] %s: %q is no number of seconds; --%s has a default", e.key, e.value, name)
		return
	}
	d := min(time.Duration(min(n, 1<<20))*time.Second, most)
	o.option(e.line, name, d.String())
	if d < time.Duration(n)*time.Second {
		o.note(e.line, "[global] %s: at most %v here", e.key, most)
	}
	switch name {
	case "heartbeat":
		o.note(e.line, "[global] %s: --heartbeat, the longest silence on a link of any kind", e.key)
	case "linger":
		o.note(e.line, "[global] %s: --linger, how long a session whose page is gone is kept", e.key)
	}
}

func (o *orbited) access() {
	for _, e := range o.lists["access"] {
		source, target, ok := strings.Cut(e.value, "->")
		source, target = strings.TrimSpace(source), strings.TrimSpace(target)
		host, port, hasPort := cutPort(target)
		switch {
		case !ok || source == "" || target == "" || strings.Contains(target, "->"):
			o.lose(e.line, "[access] %q: not SOURCE -> HOST:PORT", e.value)
			continue
		case strings.Contains(target, "*"):
			o.lose(e.line, "[access] %q: Orbited refused a target with *; name the host and port", e.value)
			continue
		case !hasPort:
			port = "80"
			o.note(e.line, "[access] %s: at port 80, Orbited's default", target)
		}
		o.allow(e.line, source, host, port)
	}
}

// cutPort cuts HOST[:PORT]; an IPv6 address is in brackets.
func cutPort(s string) (host, port string, ok bool) {
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
