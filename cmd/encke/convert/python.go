package convert

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// call is one call with literal arguments, the only Python that is understood.
type call struct {
	name      string
	line, end int // the first and the last one
	args      []arg
}

// arg is an argument; its name is "" for one that stands alone.
type arg struct {
	name  string
	value any // string, int or []any
}

// scanner reads the text of a configuration. Its methods leave it at what they do not
// understand.
type scanner struct {
	text string
	at   int
	line int
	deep bool // inside brackets, where lines do not end statements
}

// skip moves on behind spaces and comments, and line ends where they mean nothing.
func (s *scanner) skip() {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '\n':
			if !s.deep {
				return
			}
			s.line++
		case c == '#':
			for s.at < len(s.text) && s.text[s.at] != '\n' {
				s.at++
			}
			continue
		case strings.HasPrefix(s.text[s.at:], "\\\n"):
			s.at++
			s.line++
		case c != ' ' && c != '\t' && c != '\r' && c != '\f':
			return
		}
		s.at++
	}
}

// take moves on behind c if it is next.
func (s *scanner) take(c byte) bool {
	s.skip()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// next is the first byte of what comes, 0 at the end.
func (s *scanner) next() byte {
	s.skip()
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// word reads a name, "" if there is none.
func (s *scanner) word() string {
	s.skip()
	from := s.at
	for s.at < len(s.text) && (letter(s.text[s.at]) || s.at > from && digit(s.text[s.at])) {
		s.at++
	}
	return s.text[from:s.at]
}

// call reads NAME(ARGUMENTS).
func (s *scanner) call() (call, error) {
	c := call{name: s.word(), line: s.line}
	if c.name == "" || !s.take('(') {
		return c, errors.New("not a call of Listen or RemoteDestination")
	}
	s.deep = true
	defer func() { s.deep = false }()
	for !s.take(')') {
		var a arg
		if letter(s.next()) {
			before := *s
			if a.name = s.word(); !s.take('=') {
				*s, a.name = before, ""
			}
		}
		var err error
		if a.value, err = s.value(0); err != nil {
			return c, err
		}
		if a.name == "" && len(c.args) > 0 && c.args[len(c.args)-1].name != "" {
			return c, errors.New("an argument without a name behind one with a name")
		}
		c.args = append(c.args, a)
		if !s.take(',') && s.next() != ')' {
			return c, errors.New("no comma between two arguments")
		}
	}
	return c, nil
}

// value reads a string, a number or a list.
func (s *scanner) value(depth int) (any, error) {
	switch c := s.next(); {
	case c == '\'' || c == '"':
		return s.str(c)
	case digit(c) || c == '-':
		from := s.at
		for s.at++; s.at < len(s.text) && (letter(s.text[s.at]) || digit(s.text[s.at]) || s.text[s.at] == '.'); s.at++ {
		}
		text := s.text[from:s.at]
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text {
			return nil, fmt.Errorf("%q is no plain number", text)
		}
		return n, nil
	case c == '[' && depth == 0:
		s.at++
		list := []any{}
		for !s.take(']') {
			v, err := s.value(1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			if !s.take(',') && s.next() != ']' {
				return nil, errors.New("a list is not closed")
			}
		}
		return list, nil
	}
	return nil, errors.New("a value that is no string, number or list of them")
}

// str reads a string in single or double quotes, on one line.
func (s *scanner) str(quote byte) (any, error) {
	if triple := strings.Repeat(string(quote), 3); strings.HasPrefix(s.text[s.at:], triple) {
		return nil, errors.New("a string in three quotes")
	}
	var b strings.Builder
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case quote:
			s.at++
			if s.at < len(s.text) && (s.text[s.at] == '\'' || s.text[s.at] == '"') {
				return nil, errors.New("two strings without a comma")
			}
			return b.String(), nil
		case '\n':
			return nil, errors.New("a string that does not end in its line")
		case '\\':
			s.at++
			if s.at == len(s.text) || !strings.ContainsRune(`\'"`, rune(s.text[s.at])) {
				return nil, errors.New("an escape other than of a quote or a backslash")
			}
			b.WriteByte(s.text[s.at])
		default:
			b.WriteByte(c)
		}
	}
	return nil, errors.New("a string that does not end")
}

// reader gets the statements of a configuration.
type reader struct {
	call func(call)                // one that was understood
	bad  func(line int, err error) // one that was not
	more func(line, first int)     // a further line of it
}

// read reads all statements. One begins in the first column, as those inside others do
// not, whether they are run or not.
func (r reader) read(text string) {
	s := &scanner{text: text, line: 1}
	for s.at < len(s.text) {
		begin := *s
		if c := s.next(); (c == '\n' || c == 0) && s.line == begin.line { // not behind a backslash
			s.take('\n')
			s.line++
			continue
		}
		c, err := s.call()
		if n := s.next(); err == nil && n != 0 && n != '\n' {
			err = errors.New("something behind the call")
		}
		if strings.ContainsRune(" \t\f\\", rune(text[begin.at])) {
			err = errors.New("indented, so part of something else")
		}
		if err == nil {
			c.end = s.line
			r.call(c)
			continue
		}
		if s.line > begin.line {
			err = fmt.Errorf("%w (in line %d)", err, s.line)
		}
		r.bad(begin.line, err)
		r.skip(&begin)
		*s = begin
	}
}

// skip leaves s behind the lines of a statement.
func (r reader) skip(s *scanner) {
	first, quote := s.line, "" // the quotes of an open string
	for s.at < len(s.text) {
		line, rest, more := strings.Cut(s.text[s.at:], "\n")
		if s.line > first && quote == "" && strings.Trim(line, " \t\r\f") != "" && !strings.ContainsRune(" \t\f)]}#\\", rune(line[0])) {
			return // a new statement
		}
		if code, _, _ := strings.Cut(line, "#"); s.line > first && (quote != "" || strings.Trim(code, " \t\r\f") != "") {
			r.more(s.line, first)
		}
		for _, q := range []string{`"""`, "'''"} {
			if (quote == "" || quote == q) && strings.Count(line, q)%2 == 1 {
				quote = map[bool]string{true: q, false: ""}[quote == ""]
				break
			}
		}
		if !more {
			s.at = len(s.text)
			return
		}
		s.at = len(s.text) - len(rest)
		s.line++
	}
}
