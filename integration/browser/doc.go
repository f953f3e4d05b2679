// Package browser drives real browsers for the end-to-end tests: Chromium through
// playwright-core, Firefox through puppeteer-core, both in a Node process that this
// package starts and speaks JSON lines with (driver.mjs).
//
//	b, err := browser.Launch(browser.Chromium)
//	defer b.Close()
//	p := b.Page(t)            // a fresh context; closed when t ends
//	p.Goto("http://127.0.0.1:8000/page")
//	p.Eval(&sum, `(a, b) => a + b`, 1, 2)
//
// It knows nothing about sockets or proxies. A browser or a node_modules folder that
// is missing is an error that says how to install it, never a skipped test.
package browser
