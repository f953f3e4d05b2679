// Package pages holds the pages of the end-to-end tests and the web server for them:
// scenarios.js is what a page does with sockets, site.go serves it under a strict
// content security policy.
package pages
