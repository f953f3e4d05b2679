package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds one command. It is a guard against hanging for ever on a busy
// machine, not a statement about how long anything takes.
const patience = 2 * time.Minute

// Page is one page in its own context: its storage and connections are its own.
type Page struct {
	browser *Browser
	number  int
	t       testing.TB

	mu     sync.Mutex
	done   bool     // t has ended: nothing may be logged any more
	errors []string // uncaught errors of the page
}

// Page opens a page for t. It is closed when t ends; what it writes to its console
// goes into t's log, and an error nobody caught in the page fails t.
func (b *Browser) Page(t testing.TB) *Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	value, err := b.do(ctx, map[string]any{"op": "open"})
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{browser: b, t: t}
	if err := json.Unmarshal(value, &p.number); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.pages[p.number] = p
	b.mu.Unlock()
	t.Cleanup(p.close)
	return p
}

// Goto loads url and waits for its load event.
func (p *Page) Goto(url string) {
	p.t.Helper()
	p.must(map[string]any{"op": "goto", "url": url})
}

// Eval calls fn, the source of a JavaScript function, in the page with args, waits for
// what it returns and puts that into result unless result is nil. Arguments and result
// travel as JSON. An exception fails the test.
func (p *Page) Eval(result any, fn string, args ...any) {
	p.t.Helper()
	if err := p.TryEval(result, fn, args...); err != nil {
		p.t.Fatal(err)
	}
}

// TryEval is Eval for a function that may fail, and for other goroutines than the
// test's own.
func (p *Page) TryEval(result any, fn string, args ...any) error {
	texts := make([]string, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	value, err := p.do(map[string]any{
		"op":     "eval",
		"source": fmt.Sprintf("(%s)(%s)", fn, strings.Join(texts, ", ")),
	})
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(value, result)
}

// Screenshot returns a PNG of what the page shows.
func (p *Page) Screenshot() []byte {
	p.t.Helper()
	var text string
	if err := json.Unmarshal(p.must(map[string]any{"op": "screenshot"}), &text); err != nil {
		p.t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}

func (p *Page) must(command map[string]any) json.RawMessage {
	p.t.Helper()
	value, err := p.do(command)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

func (p *Page) do(command map[string]any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	command["page"] = p.number
	return p.browser.do(ctx, command)
}

// console takes one line of the page's console.
func (p *Page) console(kind, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	if kind == "pageerror" {
		p.errors = append(p.errors, text)
	}
	p.t.Logf("page %s: %s", kind, text)
}

// close closes the page and fails the test if the page had uncaught errors.
func (p *Page) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.browser.do(ctx, map[string]any{"op": "close", "page": p.number})
	p.browser.mu.Lock()
	delete(p.browser.pages, p.number)
	p.browser.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	if err != nil {
		p.t.Errorf("close the page: %v", err)
	}
	for _, text := range p.errors {
		p.t.Errorf("the page threw and nobody caught it: %s", text)
	}
}
