package privilege

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Drop makes the process, all threads of it, one of the owner's, without supplementary
// groups and capabilities, and makes sure that there is no way back. After an error the
// process is neither here nor there and must end.
func Drop(o Owner) error {
	if os.Geteuid() != 0 {
		return errors.New("--user: only root can become somebody else; start as root, or leave it away")
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("--user: giving up groups: %w", err)
	}
	if err := syscall.Setresgid(o.Group, o.Group, o.Group); err != nil {
		return fmt.Errorf("--group: becoming group %d: %w", o.Group, err)
	}
	if err := syscall.Setresuid(o.User, o.User, o.User); err != nil {
		return fmt.Errorf("--user: becoming user %d: %w", o.User, err)
	}
	return check(o)
}

// check makes sure that the process is the owner's and cannot become anybody else's. That
// fails where a capability was kept.
func check(o Owner) error {
	groups, err := syscall.Getgroups()
	switch {
	case err != nil || len(groups) > 0:
		return fmt.Errorf("--user: groups are left: %v, %v", groups, err)
	case os.Getuid() != o.User || os.Geteuid() != o.User || os.Getgid() != o.Group || os.Getegid() != o.Group:
		return errors.New("--user: the system did not change the user")
	}
	for _, again := range []func() error{
		func() error { return syscall.Setresuid(0, 0, 0) },
		func() error { return syscall.Setresgid(0, 0, 0) },
		func() error { return syscall.Setgroups([]int{0}) },
	} {
		if err := again(); !errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("--user: the process could become root again: %v", err)
		}
	}
	return nil
}
