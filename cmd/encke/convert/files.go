package convert

import (
	"path"
	"slices"
	"strings"
)

// static converts [static].
func (o *orbited) static() {
	for _, e := range o.lists["static"] {
		switch {
		case e.key == "INDEX":
			o.lose(e.line, "[static] INDEX: encke serves its own files at /; let a web server serve %q, or mount it below a name", e.value)
		case slices.Contains([]string{"static", "system", "tcp", "csp"}, e.key):
			o.lose(e.line, "[static] %s: Orbited refused this name, which it used itself", e.key)
		case strings.Trim(e.key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" || strings.HasPrefix(e.key, "."):
			o.lose(e.line, "[static] %q: a name has letters, digits, '.', '_' and '-'", e.key)
		case path.Ext(e.value) != "":
			o.lose(e.line, "[static] %s: %q looks like a file; --static serves folders, so put it into one", e.key, e.value)
		default:
			o.option(e.line, "static", e.key+"="+e.value)
		}
	}
}

// levels are those of Orbited, from the most talkative on, and ours.
var levels = []struct{ theirs, ours string }{
	{"debug", "debug"}, {"info", "info"}, {"access", "info"}, {"warn", "warn"}, {"error", "error"},
}

// logging converts [logging].
func (o *orbited) logging() {
	places := make(map[string]entry) // of levels
	var files []entry
	for _, e := range o.lists["logging"] {
		switch {
		case e.key == "enabled.default":
			o.level(e)
		case !isLevel(e.key):
			o.unknown("logging", e)
		case len(split(e.value)) == 0:
			o.note(e.line, "[logging] %s: names no place", e.key)
		default:
			places[e.key] = e
			files = append(files, e)
		}
	}
	if len(files) == 0 {
		return
	}
	// All levels go to one place: a file if there is one.
	var file string
	for _, e := range files {
		for _, place := range split(e.value) {
			if screen(place) {
				continue
			}
			if file == "" {
				file = place
				o.option(e.line, "log-file", place)
			}
		}
	}
	for _, l := range levels {
		e, ok := places[l.theirs]
		for _, place := range split(e.value) {
			switch {
			case screen(place) && file == "":
				o.note(e.line, "[logging] %s: %s is standard error", e.key, place)
			case screen(place) || place != file:
				o.lose(e.line, "[logging] %s: %s: all lines go to one place, %s; lines have their level in them", e.key, place, file)
			default:
				o.note(e.line, "[logging] %s: --log-file", e.key)
			}
		}
		if !ok && file != "" {
			o.general = append(o.general, "Lines of the level "+l.theirs+", which went to the screen, go to the log file as well.")
		}
	}
}

// level converts the list of levels that are switched on.
func (o *orbited) level(e entry) {
	on := split(e.value)
	for _, l := range on {
		if !isLevel(l) {
			o.lose(e.line, "[logging] enabled.default: %q is no level", l)
		}
	}
	for i, l := range levels {
		if !slices.Contains(on, l.theirs) {
			continue
		}
		o.option(e.line, "log-level", l.ours)
		for _, above := range levels[i+1:] {
			if above.ours != l.ours && !slices.Contains(on, above.theirs) {
				o.note(e.line, "[logging] %s was off and is on: a level takes those above it along", above.theirs)
			}
		}
		if l.ours == "info" && !(slices.Contains(on, "info") && slices.Contains(on, "access")) {
			o.note(e.line, "[logging] info and access are one level here: a line for each socket that ended")
		}
		return
	}
	o.lose(e.line, "[logging] enabled.default: no level is on; --log-level error says least")
}

func isLevel(s string) bool {
	for _, l := range levels {
		if l.theirs == s {
			return true
		}
	}
	return false
}

func screen(place string) bool { return place == "SCREEN" || place == "STDOUT" || place == "STDERR" }

// split cuts a list at its commas.
func split(s string) []string {
	var all []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}
