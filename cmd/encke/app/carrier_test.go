package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

// A protocol whose framing another one carries brings that along, but not its framing.
func TestLegacyFramings(t *testing.T) {
	for _, c := range []struct {
		legacy []string
		stream string // what a session begins with
		want   string // the answer to that; empty: there are no sessions
	}{
		{nil, "", ""},
		{[]string{"csp"}, `127.0.0.1:1\n`, `("OK")`},
		{[]string{"csp"}, `14:1,0127.0.0.1,1`, `"denied"`},
		{[]string{"orbited08"}, `14:1,0127.0.0.1,1`, `("OK")`},
		{[]string{"orbited08"}, `127.0.0.1:1\n`, `"denied"`},
		{[]string{"orbited2"}, `4,0,0,`, `("OK")`},
		{[]string{"orbited08", "csp", "orbited2"}, `4,0,0,`, `("OK")`},
		{[]string{"orbited08", "csp", "orbited2"}, `127.0.0.1:1\n`, `("OK")`},
	} {
		a := inprocess.Start(t, app.Config{Legacy: c.legacy, Allow: []string{"127.0.0.1:1"}})
		post := func(path, body string) string {
			req, err := http.NewRequest("POST", a.URL()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", a.URL())
			req.Close = true
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			return string(text)
		}
		_, id, ok := strings.Cut(post("/csp/handshake", "{}"), `({"session":"`)
		if ok != (c.want != "") {
			t.Errorf("%q: sessions are served: %v", c.legacy, ok)
		}
		if !ok {
			continue
		}
		id, _, _ = strings.Cut(id, `"`)
		if got := post("/csp/send?s="+id, `[[1,0,"`+c.stream+`"]]`); got != c.want {
			t.Errorf("%q: %s is answered by %s, want %s", c.legacy, c.stream, got, c.want)
		}
	}
}
