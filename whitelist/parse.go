package whitelist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/go-multierror"
)

const maxLine = 4096 // bytes, the newline included

var errLongLine = fmt.Errorf("the line is longer than %d bytes; split it", maxLine)

// Parse is the function Parse with these options.
func (o Options) Parse(r io.Reader) (*Rules, error) {
	var list []Rule
	var errs *multierror.Error
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if err == errLongLine {
			errs = multierror.Append(errs, newRuleError("line", n, string(line), err))
			continue
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading rules, line %d: %w", n, err)
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // some editors put it in front
		}
		line, _, _ = bytes.Cut(line, []byte("#"))
		if text := string(bytes.Trim(line, " \t\r\n")); text != "" {
			if rule, err := parseRule(text, o); err != nil {
				errs = multierror.Append(errs, newRuleError("line", n, text, err))
			} else {
				list = append(list, rule)
			}
		}
		if err == io.EOF {
			break
		}
	}
	if len(list) == 0 && errs.ErrorOrNil() == nil {
		errs = multierror.Append(errs, errEmptyFile)
	}
	if err := errs.ErrorOrNil(); err != nil {
		return nil, err
	}
	return index(o, list), nil
}

var errEmptyFile = errors.New("no rule in the file: nothing would be allowed; add a line HOST:PORT")

// readLine returns the next line, valid until the next call, with io.EOF at the
// last one. With errLongLine it returns the beginning and skips the rest.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return line, err
	}
	head := bytes.Clone(line[:min(len(line), 512)])
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return head, errLongLine // at the end of the file the next call says so
}

// RuleError is what is wrong with one rule, for the operator.
type RuleError struct {
	Where   string // "line 3" of a file, "rule 2" of those passed to New; both count from 1
	Text    string // the rule as given, cut after 256 bytes
	Problem string // what is wrong with it and what to write instead
}

// Error returns all three, the text quoted.
func (e *RuleError) Error() string {
	return fmt.Sprintf("%s: %q: %s", e.Where, e.Text, e.Problem)
}

func newRuleError(unit string, n int, text string, err error) *RuleError {
	return &RuleError{
		Where:   fmt.Sprintf("%s %d", unit, n),
		Text:    clip(text),
		Problem: err.Error(),
	}
}
