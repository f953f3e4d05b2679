// Package privilege gives up those of root: a process that had to be root for a low port
// or the key of a certificate becomes an ordinary user, for good.
package privilege

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// Owner is whom a process runs as.
type Owner struct{ User, Group int }

// Find returns the owner with these names or numbers. Without a group it is the user's own.
func Find(userName, groupName string) (Owner, error) {
	if userName == "" {
		return Owner{}, errors.New("--group without --user")
	}
	var o Owner
	u, err := findUser(userName)
	if err == nil {
		o.User, err = number(u.Uid)
	} else if o.User, err = number(userName); err != nil {
		return Owner{}, fmt.Errorf("--user: there is no user %q", userName)
	}
	switch {
	case err != nil:
		return Owner{}, fmt.Errorf("--user: %w", err)
	case o.User == 0:
		return Owner{}, fmt.Errorf("--user: %q is root, which has every privilege", userName)
	case groupName == "" && u == nil:
		return Owner{}, fmt.Errorf("--user: the user %s has no entry that names his group; say it with --group", userName)
	case groupName == "":
		o.Group, err = number(u.Gid)
	default:
		o.Group, err = findGroup(groupName)
	}
	switch {
	case err != nil:
		return Owner{}, fmt.Errorf("--group: %w", err)
	case o.Group == 0:
		return Owner{}, errors.New("--group: that is root's group, which owns much; say another one")
	}
	return o, nil
}

func findUser(name string) (*user.User, error) {
	if _, err := number(name); err == nil {
		return user.LookupId(name)
	}
	return user.Lookup(name)
}

func findGroup(name string) (int, error) {
	if n, err := number(name); err == nil {
		return n, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("there is no group %q", name)
	}
	return number(g.Gid)
}

// number reads an id. The highest, -1 for the kernel, would mean: leave it as it is.
func number(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, fmt.Errorf("%q is no id", s)
	}
	return int(n), nil
}
