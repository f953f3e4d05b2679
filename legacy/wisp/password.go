package wisp

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// passwords are the names and passwords that are let in, as digests: comparing those takes
// the same time whatever is wrong with what a client gives.
type passwords [][sha256.Size]byte

// digest digests credentials: the size of the name uint8, the name, the password.
func digest(credentials []byte) [sha256.Size]byte { return sha256.Sum256(credentials) }

// parsePasswords reads lines of NAME:PASSWORD. Empty lines and those that begin with "#" are
// skipped. Errors repeat nothing of what is secret.
func parsePasswords(r io.Reader) (passwords, error) {
	var all passwords
	var errs *multierror.Error
	names := make(map[string]bool)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text() // without CR LF
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, password, ok := strings.Cut(line, ":")
		switch {
		case !ok || name == "" || password == "" || len(name) > 255:
			errs = multierror.Append(errs, fmt.Errorf("line %d: write it like NAME:PASSWORD, the name of 255 bytes at most", n))
		case names[name]:
			errs = multierror.Append(errs, fmt.Errorf("line %d: the name is there twice", n))
		default:
			names[name] = true
			all = append(all, digest([]byte(string([]byte{byte(len(name))})+name+password)))
		}
	}
	if err := lines.Err(); err != nil {
		errs = multierror.Append(errs, err)
	}
	if len(all) == 0 && errs == nil {
		errs = multierror.Append(errs, errors.New("nobody is named, so nobody could connect"))
	}
	return all, errs.ErrorOrNil()
}

// accept reports whether credentials, as they come from a client, are among them.
func (all passwords) accept(credentials []byte) bool {
	given := digest(credentials)
	found := 0
	for _, one := range all {
		found |= subtle.ConstantTimeCompare(given[:], one[:])
	}
	return found == 1
}
