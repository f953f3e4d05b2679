// Package servers starts real servers for the end-to-end tests: ngIRCd, Prosody,
// ActiveMQ, Mosquitto, Redis, HAProxy and nginx, each from a temporary directory, on a free port
// of 127.0.0.1, as an unprivileged user when the tests run as root.
//
//	irc := servers.Ngircd(t)
//	... irc.Addr(), irc.Host, irc.Port ...
//
// A server ends with its test. A command that is not installed fails the test with the
// name of the apt package; nothing is skipped.
package servers
