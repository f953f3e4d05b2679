package quota_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"encke/quota"
)

func TestKey(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7:1234":           "192.0.2.7",
		"192.0.2.7":                "192.0.2.7",
		"[::ffff:192.0.2.7]:1":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::",
		"2001:db8:1:2:ffff::1":     "2001:db8:1:2::",
		"[fe80::1%eth0]:1":         "fe80::",
		"":                         "invalid IP",
		"@":                        "invalid IP",
		"300.1.1.1:1":              "invalid IP",
		"2001:db8:1:3::1":          "2001:db8:1:3::",
		"[::1]:80":                 "::",
		"::ffff:198.51.100.1":      "198.51.100.1",
	} {
		if got := quota.Key(text); got.String() != want {
			t.Errorf("Key(%q) = %v, want %s", text, got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	c := quota.NewCounts(2)
	one, other := quota.Key("192.0.2.1"), quota.Key("192.0.2.2")
	if !c.Take(one) || !c.Take(one) || c.Take(one) {
		t.Error("an address has not exactly two")
	}
	if !c.Take(other) {
		t.Error("one address took from another's share")
	}
	c.Give(one)
	if !c.Take(one) || c.Take(one) {
		t.Error("what was given back is not there again, or more than that")
	}
	c.Give(one)
	c.Give(one)
	c.Give(other)
	if c.Len() != 0 {
		t.Errorf("%d addresses that have nothing are remembered", c.Len())
	}
	if none := quota.NewCounts(-1); !none.Take(one) {
		t.Error("-1 is a limit")
	}
}

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := quota.NewRates(20, 100)
		key, other := quota.Key("2001:db8::1"), quota.Key("192.0.2.1")
		burst := func() (n int) {
			for r.Allow(key) {
				n++
			}
			return n
		}
		if n := burst(); n != 100 {
			t.Errorf("a burst of %d, want 100", n)
		}
		if !r.Allow(other) {
			t.Error("one address used up another's share")
		}
		time.Sleep(time.Second)
		if n := burst(); n != 20 {
			t.Errorf("%d after a second, want 20", n)
		}
		time.Sleep(time.Hour)
		if n := burst(); n != 100 {
			t.Errorf("%d after an hour, want the burst of 100", n)
		}
	})
	if none := quota.NewRates(-1, 0); !none.Allow(quota.Key("192.0.2.1")) {
		t.Error("-1 is a limit")
	}
}

// Whoever has many addresses cannot make the table grow, nor push out an address
// that is in use.
func TestRatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes
		r := quota.NewRates(1, 3)
		busy := quota.Key("192.0.2.1")
		for r.Allow(busy) {
		}
		for i := range 3 * quota.MaxAddresses {
			var a [16]byte
			a[0] = 0x20
			binary.BigEndian.PutUint32(a[2:], uint32(i))
			r.Allow(quota.KeyOf(netip.AddrFrom16(a)))
			if i%1000 == 0 && r.Allow(busy) {
				t.Fatalf("after %d other addresses a busy one has a new burst", i)
			}
		}
		if r.Len() > quota.MaxAddresses {
			t.Errorf("%d addresses are remembered, want at most %d", r.Len(), quota.MaxAddresses)
		}
	})
}
