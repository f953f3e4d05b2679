// Package quota says how much one network address may have: how many things at a
// time (Counts) and how many in a second (Rates). An address is an IPv4 address or
// an IPv6 /64, which is what one household or machine commands.
//
// It knows neither what is counted nor what is said to those who have too much. It
// imports nothing of ours.
package quota
