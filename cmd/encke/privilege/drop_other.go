//go:build !linux

package privilege

import "errors"

// Drop is for Linux only.
func Drop(Owner) error { return errors.New("--user: only on Linux") }
