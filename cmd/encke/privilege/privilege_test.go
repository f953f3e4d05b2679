package privilege

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		user, group string
		want        Owner
		says        string // instead
	}{
		{"nobody", "", Owner{65534, 65534}, ""},
		{"nobody", "daemon", Owner{65534, 1}, ""},
		{"65534", "", Owner{65534, 65534}, ""},
		{"daemon", "65534", Owner{1, 65534}, ""},
		{"4000000", "4000001", Owner{4000000, 4000001}, ""},
		{"4000000", "", Owner{}, "say it with --group"},
		{"root", "", Owner{}, "is root"},
		{"0", "65534", Owner{}, "is root"},
		{"00", "65534", Owner{}, "is root"},
		{"nobody", "root", Owner{}, "root's group"},
		{"nobody", "0", Owner{}, "root's group"},
		{"", "daemon", Owner{}, "--group without --user"},
		{"no-such-user", "", Owner{}, `no user "no-such-user"`},
		{"nobody", "no-such-group", Owner{}, `no group "no-such-group"`},
		{"-1", "", Owner{}, `no user "-1"`},
		{"4294967295", "1", Owner{}, `no user "4294967295"`},
		{"4294967296", "1", Owner{}, `no user "4294967296"`},
		{"nobody", "4294967295", Owner{}, `no group "4294967295"`},
	} {
		got, err := Find(tt.user, tt.group)
		if got != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Find(%q, %q) = %v, %v, want %v, %q", tt.user, tt.group, got, err, tt.want, tt.says)
		}
	}
}
