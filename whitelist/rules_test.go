package whitelist_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hashicorp/go-multierror"

	"encke/whitelist"
)

func TestRuleForms(t *testing.T) {
	tests := []struct{ in, want string }{
		{"irc.example.org:6667", "irc.example.org:6667"},
		{"IRC.Example.ORG.:6667", "irc.example.org:6667"},
		{"bücher.example:6667", "xn--bcher-kva.example:6667"},
		{"localhost:1", "localhost:1"},
		{"irc.example.org:6667,6697,7000-7010", "irc.example.org:6667,6697,7000-7010"},
		{"irc.example.org:25,465,1-100", "irc.example.org:25,465,1-100"},
		{"irc.example.org:*", "irc.example.org:*"},
		{"irc.example.org:1-65535", "irc.example.org:*"},
		{"irc.example.org:25,1-65535", "irc.example.org:25,1-65535"},
		{"*.example.org:6697", "*.example.org:6697"},
		{"*.Example.org.:*", "*.example.org:*"},
		{"*.bücher.example:1-30", "*.xn--bcher-kva.example:1-30"},
		{"*.internal:6667", "*.internal:6667"},
		{"10.0.0.0/8:6667", "10.0.0.0/8:6667"},
		{"10.0.0.1/32:25", "10.0.0.1:25"},
		{"10.0.0.1:25", "10.0.0.1:25"},
		{"127.0.0.0/8:*", "127.0.0.0/8:*"},
		{"240.0.0.0/4:6667", "240.0.0.0/4:6667"},
		{"[2001:db8::/32]:6667", "[2001:db8::/32]:6667"},
		{"[2001:DB8:0::1]:6667", "[2001:db8::1]:6667"},
		{"[2001:db8::1/128]:25", "[2001:db8::1]:25"},
		{"[::1]:6667", "[::1]:6667"},
		{"[::ffff:10.0.0.1]:6667", "10.0.0.1:6667"},
		{"[fc00::/7]:6667", "[fc00::/7]:6667"},
		{"[fe80::/10]:6667", "[fe80::/10]:6667"},
	}
	for _, test := range tests {
		r, err := whitelist.New(test.in)
		if err != nil {
			t.Errorf("New(%q): %v", test.in, err)
			continue
		}
		if got := r.String(); got != test.want {
			t.Errorf("New(%q) = %s, want %s", test.in, got, test.want)
		}
	}
}

func TestBadRules(t *testing.T) {
	tests := []struct{ in, want string }{ // want: part of the advice
		{"", "no port; write HOST:PORT"},
		{"irc.example.org", "no port; write HOST:PORT"},
		{"6667", "no port; write HOST:PORT"},
		{"irc.example.org:", "no port behind the colon"},
		{":6667", "the host is empty"},
		{"irc.example.org:0", "write a number in 1-65535"},
		{"irc.example.org:65536", "write a number in 1-65535"},
		{"irc.example.org:06667", "write a number in 1-65535"},
		{"irc.example.org:irc", "write a number in 1-65535"},
		{"irc.example.org:6667,", "write a number in 1-65535"},
		{"irc.example.org:,6667", "write a number in 1-65535"},
		{"irc.example.org:6667,,6697", "write a number in 1-65535"},
		{"irc.example.org:6667-", "lower port first"},
		{"irc.example.org:-6667", "write a number in 1-65535"},
		{"irc.example.org:6667-6667", "lower port first"},
		{"irc.example.org:6669-6667", "lower port first"},
		{"irc.example.org:6667-6668-6669", "lower port first"},
		{"irc.example.org:*,25", `write "*" alone`},
		{"irc.example.org:*-25", "write a number in 1-65535"},
		{"irc.example.org :6667", "a space inside"},
		{"a:1 b:2", "a space inside"},
		{"irc.example.org:6667, 6697", "a space inside"},
		{"tcp://irc.example.org:6667", "a URL"},
		{"irc.example.org:6667/x", "write a number in 1-65535"},
		{"irc.example.org/x:6667", "not a CIDR"},
		{"irc_1.example.org:6667", "only letters, digits, dots and hyphens"},
		{"irc。example.org:6667", "not an ASCII dot"},
		{"irc..example.org:6667", "empty label"},
		{"2130706433:6667", "four decimal parts"},
		{"127.1:6667", "four decimal parts"},
		{"0x7f.0.0.1:6667", "four decimal parts"},
		{"2001:db8::1:6667", "in brackets"},
		{"::1:6667", "in brackets"},
		{"[::1]", "write [IPV6]:PORT"},
		{"[::1]6667", "write [IPV6]:PORT"},
		{"[::1:6667", "bracket is not closed"},
		{"[fe80::1%eth0]:6667", "must not have a zone"},
		{"[10.0.0.1]:6667", "not an IPv6 address"},
		{"[localhost]:6667", "not an IPv6 address"},
		{"[2001:db8::]/32:6667", "inside the brackets"},
		{"[10.0.0.0/8]:6667", "not a CIDR"},
		{"[::ffff:10.0.0.0/104]:6667", "write it as IPv4"},
		{"10.0.0.0/33:6667", "not a CIDR"},
		{"10.0.0.0/08:6667", "not a CIDR"},
		{"10.0.0.0/:6667", "not a CIDR"},
		{"10/8:6667", "not a CIDR"},
		{"10.0.0.0/255.0.0.0:6667", "not a CIDR"},
		{"10.1.2.3/8:6667", "write 10.0.0.0/8"},
		{"[2001:db8::1/32]:6667", "write 2001:db8::/32"},
		{"*:6667", "--allow-any-host"},
		{"*:*", "--allow-any-host"},
		{"0.0.0.0/0:6667", "--allow-any-host"},
		{"8.0.0.0/7:6667", "--allow-any-host"},
		{"128.0.0.0/1:6667", "--allow-any-host"},
		{"[::/0]:6667", "--allow-any-host"},
		{"[2000::/3]:6667", "--allow-any-host"},
		{"[::/3]:6667", "--allow-any-host"},
		{"**.example.org:6667", "whole labels at the front"},
		{"*example.org:6667", "whole labels at the front"},
		{"irc*.example.org:6667", "whole labels at the front"},
		{"irc.*.org:6667", "whole labels at the front"},
		{"example.*:6667", "whole labels at the front"},
		{"*.*.example.org:6667", "only letters, digits"},
		{"*.:6667", "the host is empty"},
		{"*..example.org:6667", "empty label"},
		{"*.10.0.0.1:6667", "wildcard in front of an address"},
		{"*.0.0.1:6667", "four decimal parts"},
		{"*.example.org:25", "port 25 (smtp) is opened only for a single host"},
		{"*.example.org:6667,587", "port 587 (submission)"},
		{"10.0.0.0/8:22", "port 22 (ssh)"},
		{"[2001:db8::/32]:465", "port 465 (submissions)"},
	}
	for _, test := range tests {
		r, err := whitelist.New(test.in)
		if err == nil {
			t.Errorf("New(%q) = %s, want an error with %q", test.in, r, test.want)
			continue
		}
		var bad *whitelist.RuleError
		if !errors.As(err, &bad) || bad.Where != "rule 1" || bad.Text != test.in || !strings.Contains(bad.Problem, test.want) {
			t.Errorf("New(%q): %v; want %q", test.in, err, test.want)
		}
	}
}

func TestAnyHostOption(t *testing.T) {
	o := whitelist.Options{AnyHost: true}
	for _, rule := range []string{"*:6667", "*:*", "0.0.0.0/0:6667", "[::/0]:*", "[2000::/3]:6667"} {
		if r, err := o.New(rule); err != nil || r.String() != rule {
			t.Errorf("New(%q) with AnyHost = %v, %v", rule, r, err)
		}
		if r, err := o.Parse(strings.NewReader(rule)); err != nil || r.String() != rule {
			t.Errorf("Parse(%q) with AnyHost = %v, %v", rule, r, err)
		}
	}
	if _, err := o.New("*:25"); err == nil {
		t.Error("*:25 opens mail everywhere, want an error")
	}
}

func TestParse(t *testing.T) {
	const file = "\ufeff# chat\r\n" +
		"irc.example.org:6667,6697   # the main one\r\n" +
		"\r\n" +
		"\t*.example.net:6697\r\n" +
		"   #10.0.0.0/8:1\n" +
		"[2001:db8::/32]:5222#xmpp\n" +
		"   \t \n" +
		"localhost:6667" // no newline at the end
	r, err := whitelist.Parse(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"irc.example.org:6667,6697", "*.example.net:6697", "[2001:db8::/32]:5222", "localhost:6667"}
	var got []string
	for _, rule := range r.List() {
		got = append(got, rule.String())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Parse: %q, want %q", got, want)
	}
	again, err := whitelist.Parse(iotest.OneByteReader(strings.NewReader(r.String())))
	if err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("Parse(String()) = %v, %v; want the same rules", again, err)
	}
}

func TestParseReportsEveryBadLine(t *testing.T) {
	long := strings.Repeat("x", 5000)
	file := "good.example:1\n" + // 1
		"no-port\n" + // 2
		"# fine\n" +
		"*:80 # all\n" + // 4
		long + ":80\n" + // 5
		"a b\x1b[2J:1\n" + // 6
		strings.Repeat("y", 300) + "\n" + // 7
		"\n" +
		"bad..dots:1" // 9
	r, err := whitelist.Parse(strings.NewReader(file))
	if r != nil {
		t.Errorf("Parse gives rules beside an error: %v", r)
	}
	var all *multierror.Error
	if !errors.As(err, &all) {
		t.Fatalf("Parse: %v, want a *multierror.Error", err)
	}
	var got []string
	for _, err := range all.Errors {
		var bad *whitelist.RuleError
		if !errors.As(err, &bad) {
			t.Fatalf("%v is not a *RuleError", err)
		}
		got = append(got, bad.Where)
		if len(bad.Text) > 256 {
			t.Errorf("%s: %d bytes of text, want at most 256", bad.Where, len(bad.Text))
		}
	}
	want := []string{"line 2", "line 4", "line 5", "line 6", "line 7", "line 9"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("bad lines %q, want %q", got, want)
	}
	text := err.Error()
	for _, part := range []string{`line 2: "no-port": no port; write`, `line 4: "*:80"`, "longer than 4096 bytes", `"a b\x1b[2J:1"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the error lacks %q:\n%s", part, text)
		}
	}
	if strings.ContainsRune(text, 0x1b) {
		t.Error("the error holds a raw control byte")
	}
}

func TestNewReportsEveryBadRule(t *testing.T) {
	_, err := whitelist.New("a:1", "b", "c:1", "d:")
	var all *multierror.Error
	if !errors.As(err, &all) || len(all.Errors) != 2 {
		t.Fatalf("New: %v, want two errors", err)
	}
	for i, where := range []string{"rule 2: ", "rule 4: "} {
		if got := all.Errors[i].Error(); !strings.HasPrefix(got, where) {
			t.Errorf("error %d is %q, want it to begin with %q", i, got, where)
		}
	}
}

func TestNoRuleIsAnError(t *testing.T) {
	if r, err := whitelist.New(); r != nil || err == nil || !strings.Contains(err.Error(), "no rule: nothing would be allowed; pass --allow HOST:PORT") {
		t.Errorf("New() = %v, %v", r, err)
	}
	for _, file := range []string{"", "\n", "# a:1\n", "\ufeff", "  \r\n#\n"} {
		if r, err := whitelist.Parse(strings.NewReader(file)); r != nil || err == nil || !strings.Contains(err.Error(), "no rule in the file") {
			t.Errorf("Parse(%q) = %v, %v", file, r, err)
		}
	}
}

func TestParseReadError(t *testing.T) {
	broken := errors.New("disk on fire")
	in := io.MultiReader(strings.NewReader("a:1\nb:2\n"), iotest.ErrReader(broken))
	if r, err := whitelist.Parse(in); r != nil || !errors.Is(err, broken) {
		t.Errorf("Parse = %v, %v; want the reader's error", r, err)
	}
	in = io.MultiReader(strings.NewReader(strings.Repeat("x", 9000)), iotest.ErrReader(broken))
	if r, err := whitelist.Parse(in); r != nil || !errors.Is(err, broken) {
		t.Errorf("Parse in a long line = %v, %v; want the reader's error", r, err)
	}
}

func TestParseLineLength(t *testing.T) {
	fits := "a:1 #" + strings.Repeat("x", 4090) + "\n" // 4,096 bytes
	for _, file := range []string{fits, fits + fits, fits[:4095]} {
		if _, err := whitelist.Parse(strings.NewReader(file)); err != nil {
			t.Errorf("Parse of %d bytes: %v", len(file), err)
		}
	}
	for _, file := range []string{"x" + fits, "x" + fits + "b:2\n", fits + "x" + fits} {
		if _, err := whitelist.Parse(strings.NewReader(file)); err == nil {
			t.Errorf("Parse of %d bytes takes a line that is too long", len(file))
		}
	}
}
