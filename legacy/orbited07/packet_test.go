package orbited07

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"encke/cause"
)

func TestPackets(t *testing.T) {
	packets := []packet{
		{id: 10, name: "data", data: []byte("hello\n")},
		{id: 11, name: "ping"},
		{id: 11, name: "close", arg: closeAcked},
	}
	if got, want := string(appendCounted(nil, packets)), "12,1014,data08,aGVsbG8K"+"12,1104,ping"+"12,1115,close011,close acked"; got != want {
		t.Errorf("counted: got %s, want %s", got, want)
	}
	if got, want := string(appendJSON(nil, packets)), `[["10","data","aGVsbG8K"],["11","ping"],["11","close","close acked"]]`; got != want {
		t.Errorf("JSON: got %s, want %s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"2", "neither 0 nor 1"},
		{"1", "ends inside"},
		{"11", "ends inside"},
		{"1,", "not a number and a comma"},
		{"1-1,", "not a number and a comma"},
		{"11.1", "not a number and a comma"},
		{"11,", "ends inside"},
		{"11,1", "ends inside"},
		{"11,105,clos", "ends inside"},
		{"199999999999999999999,1", "longer than a body"},
		{"01,1", "without a name"},
		{"11,104,what", "none of data, ping and close"},
		{"11,104,data", "without data"},
		{"11,004,ping", "id of a packet"},
		{"12,0104,ping", "id of a packet"},
		{"12,-104,ping", "id of a packet"},
		{"10,04,ping", "id of a packet"},
		{"116,900719925474099304,ping", "id of a packet"},
		{"11,114,ping10,00,", "more than 3 strings"},
	} {
		err := parse([]byte(c.body), func(upstream) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.body, err, c.want)
		}
	}
}

func TestCheckRefusesWhatIsNotBase64(t *testing.T) {
	long := strings.Repeat("AAAA", 2000)
	for text, fine := range map[string]bool{
		"": true, "YQ==": true, "YWI=": true, "YWJj": true, long: true, long + "YQ==": true,
		"YQ": false, "YQ=": false, "=": false, "Y!==": false, "YQ==YQ==": false, "YQ-_": false, long + "A": false, "\n" + long: false, "YWJj\n": false, "YW\r\nJj": false,
	} {
		body := fmt.Sprintf("11,114,data0%d,%s", len(text), text)
		if why := check([]byte(body)); (why == nil) != fine {
			t.Errorf("%.20q of %d: %v, want it taken: %v", text, len(text), why, fine)
		}
	}
}

// Every cause has a code that clients know.
func TestCodes(t *testing.T) {
	known := map[code]bool{invalidHandshake: true, unauthorized: true, remoteConnectionFailed: true}
	for c := range cause.Count {
		if got := codeOf(cause.Code(c)); !known[got] {
			t.Errorf("%v: code %d", cause.Code(c), got)
		}
	}
}

// FuzzParse: what is taken can be written again and is taken again, as the same packets.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "11,114,data08,aGVsbG8K", "11,314,ping00,", "11,405,close", "11,114,data00,12,1014,data04,YQ==", "1999999,"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var first []upstream
		var again []byte
		err := parse(body, func(p upstream) error {
			again = fmt.Appendf(again, "1%d,%d", len(fmt.Sprint(p.id)), p.id)
			if p.name == "data" {
				again = fmt.Appendf(again, "1%d,%s0%d,%s", len(p.name), p.name, len(p.text), p.text)
			} else {
				again = fmt.Appendf(again, "0%d,%s", len(p.name), p.name)
			}
			first = append(first, p)
			return nil
		})
		if err != nil {
			return
		}
		n := 0
		err = parse(again, func(p upstream) error {
			if p.id != first[n].id || p.name != first[n].name || !bytes.Equal(p.text, first[n].text) {
				return errors.New("another packet")
			}
			n++
			return nil
		})
		if err != nil || n != len(first) {
			t.Errorf("%q became %q: %v, %d packets, want %d", body, again, err, n, len(first))
		}
	})
}

// FuzzEncode: clients read what was written, in both encodings.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("hello"), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, id uint64) {
		packets := []packet{{id: id, name: "data", data: data}, {id: id, name: "ping"}, {id: id, name: "close", arg: timeout}}
		want := [][]string{{fmt.Sprint(id), "data", base64.StdEncoding.EncodeToString(data)}, {fmt.Sprint(id), "ping"}, {fmt.Sprint(id), "close", timeout}}
		var r reader
		got, err := r.feed(string(appendCounted(nil, packets)))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("counted: got %q, %v, want %q", got, err, want)
		}
		got = nil
		if err := json.Unmarshal(appendJSON(nil, packets), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("JSON: got %q, %v, want %q", got, err, want)
		}
	})
}
