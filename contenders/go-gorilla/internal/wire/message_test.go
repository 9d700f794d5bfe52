package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	echoed = `{"type":"echo","from":"c17","seq":3,"at":123456,"text":"hi"}`
	said   = `{"type":"say","room":"lobby","from":"c17","seq":3,"at":123456,"text":"hi"}`
)

func TestParse(t *testing.T) {
	long := strings.Repeat("r", 64)
	for _, c := range []struct {
		raw  string
		kind Kind
		room string
	}{
		{echoed, Echo, ""},
		{said, Say, "lobby"},
		{`{"type":"join","room":"A-z.0_9"}`, Join, "A-z.0_9"},
		{`{"type":"join","room":"` + long + `"}`, Join, long},
		{`{"type":"crash"}`, Crash, ""},
		{`{"type":"echo","from":"","seq":0,"at":-1,"text":"\"\\\/\b\f\n\r\t\u00e9é"}`, Echo, ""},

		{``, Unknown, ""},
		{`{}`, Unknown, ""},
		{`[]`, Unknown, ""},
		{`{"type":"crash"} `, Unknown, ""},
		{`{"type":"crash","why":1}`, Unknown, ""},
		{`{"type":"join","room":""}`, Unknown, ""},
		{`{"type":"join","room":"` + long + `r"}`, Unknown, ""},
		{`{"type":"join","room":"a b"}`, Unknown, ""},
		{`{"type":"join","room":"é"}`, Unknown, ""},
		{`{"type":"join","room":7}`, Unknown, ""},
		{`{"type":"join","room":"a"`, Unknown, ""},
		{`{"room":"a","type":"join"}`, Unknown, ""},
		{`{"type": "join","room":"a"}`, Unknown, ""},
		{echoed + echoed, Unknown, ""},
		{echoed + "\n", Unknown, ""},
		{strings.Replace(echoed, "hi", "h\ni", 1), Unknown, ""},
		{strings.Replace(echoed, "hi", `h\i`, 1), Unknown, ""},
		{strings.Replace(echoed, "hi", `\u12g4`, 1), Unknown, ""},
		{strings.Replace(echoed, "hi", `\`, 1), Unknown, ""},
		{strings.Replace(echoed, ":3,", ":03,", 1), Unknown, ""},
		{strings.Replace(echoed, ":3,", ":3.5,", 1), Unknown, ""},
		{strings.Replace(echoed, ":3,", ":-,", 1), Unknown, ""},
		{strings.Replace(echoed, ":3,", `:"3",`, 1), Unknown, ""},
		{strings.Replace(said, `"lobby"`, `"lob by"`, 1), Unknown, ""},
		{strings.Replace(said, `,"room":"lobby"`, "", 1), Unknown, ""},
	} {
		kind, room := Parse([]byte(c.raw))
		if kind != c.kind || string(room) != c.room {
			t.Errorf("Parse(%s) = %d, %q, expected %d, %q", c.raw, kind, room, c.kind, c.room)
		}
	}
}

func TestCutMessagesAreUnknown(t *testing.T) {
	for _, whole := range []string{echoed, said, `{"type":"join","room":"lobby"}`, `{"type":"crash"}`} {
		for n := range whole {
			if kind, _ := Parse([]byte(whole[:n])); kind != Unknown {
				t.Errorf("Parse(%s) = %d, expected %d", whole[:n], kind, Unknown)
			}
		}
	}
}

func TestAnswersAreJSON(t *testing.T) {
	if got := string(Joined([]byte("lobby"))); got != `{"type":"joined","room":"lobby"}` {
		t.Errorf("Joined: %s", got)
	}
	if !json.Valid(Refusal) {
		t.Errorf("Refusal: %s", Refusal)
	}
}

// What Parse accepts must be JSON on one line that encoding/json reads alike.
func FuzzParse(f *testing.F) {
	f.Add([]byte(echoed))
	f.Add([]byte(said))
	f.Add([]byte(`{"type":"echo","from":"","seq":0,"at":-1,"text":"\"\\\/\b\f\n\r\t\u00e9é"}`))
	f.Add([]byte(`{"type":"join","room":"A-z.0_9"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, room := Parse(raw)
		if kind == Unknown || !utf8.Valid(raw) {
			return
		}
		var message struct{ Type, Room string }
		if err := json.Unmarshal(raw, &message); err != nil {
			t.Fatalf("accepted %q: %v", raw, err)
		}
		if message.Room != string(room) || bytes.ContainsAny(raw, "\r\n") {
			t.Fatalf("accepted %q with room %q", raw, room)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		Parse([]byte(said))
	}
}
