package sink_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

func field(name, value string) sink.Field {
	return sink.Field{Name: name, Value: credential.NewSecret(value)}
}

func TestJSON(t *testing.T) {
	tests := map[string]struct {
		fields []sink.Field
		want   string
	}{
		"none":   {nil, `{}`},
		"sorted": {[]sink.Field{field("b", "2"), field("a", "1"), field("B", "3")}, `{"B":"3","a":"1","b":"2"}`},
		"signs":  {[]sink.Field{field("a", `<&>"\'/`+"\n\t")}, `{"a":"<&>\"\\'/\n\t"}`},
		"empty":  {[]sink.Field{field("a", "")}, `{"a":""}`},
		"UTF-8":  {[]sink.Field{field("schlüssel", "wört")}, `{"schlüssel":"wört"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := sink.JSON(tt.fields)
			if err != nil || got.Reveal() != tt.want {
				t.Errorf("got %s, %v, want %s", got.Reveal(), err, tt.want)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	tests := map[string]struct {
		fields []sink.Field
		want   string
	}{
		"none":       {nil, ""},
		"sorted":     {[]sink.Field{field("B", "2"), field("A", "1")}, "A=1\nB=2\n"},
		"plain":      {[]sink.Field{field("A", "amzn1.oa2-cs.v1.0f1e/2:3@4%5+6=7,8-9_")}, "A=amzn1.oa2-cs.v1.0f1e/2:3@4%5+6=7,8-9_\n"},
		"empty":      {[]sink.Field{field("A", "")}, "A=\n"},
		"quoted":     {[]sink.Field{field("A", "a b")}, "A=\"a b\"\n"},
		"expansions": {[]sink.Field{field("A", "$HOME `id` \\ \"")}, "A=\"\\$HOME \\`id\\` \\\\ \\\"\"\n"},
		"signs":      {[]sink.Field{field("A", "'#;~*!&|<>(){}[]?^")}, "A=\"'#;~*!&|<>(){}[]?^\"\n"},
		"underscore": {[]sink.Field{field("_a9", "1")}, "_a9=1\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tt.fields)
			got, err := sink.Env(tt.fields)
			if err != nil || got.Reveal() != tt.want {
				t.Errorf("got %s, %v, want %s", got.Reveal(), err, tt.want)
			}
			for i, f := range tt.fields {
				if f.Name != before[i].Name {
					t.Error("the caller's fields were sorted")
				}
			}
		})
	}
}

func TestEnvRefuses(t *testing.T) {
	for _, name := range []string{"", "1A", "A-B", "A B", "A=B", "A\n", "Ä", "A.B"} {
		if got, err := sink.Env([]sink.Field{field(name, "x")}); err == nil || !got.IsZero() {
			t.Errorf("name %q: got %s", name, got.Reveal())
		}
	}
	for _, value := range []string{"hunter2\n", "a\x00", "a\tb", "a\r", "\x1b[0m", "a\x7f"} {
		_, err := sink.Env([]sink.Field{field("A", value)})
		if err == nil || !strings.Contains(err.Error(), "A") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("value %q: got %v", value, err)
		}
	}
}

// Whatever a value holds, a shell that reads the file gets just that.
func TestAShellReadsEnvAsItIs(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here:", err)
	}
	file := filepath.Join(t.TempDir(), "env")
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.StringMatching(`[ -~äß€]{0,40}`).Draw(rt, "value")
		body, err := sink.Env([]sink.Field{field("A", want), field("B", "end")})
		if err != nil {
			rt.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body.Reveal()), 0o600); err != nil {
			rt.Fatal(err)
		}
		got, err := exec.Command(sh, "-euc", `. "$1"; printf '%s|%s' "$A" "$B"`, "sh", file).Output()
		if err != nil || string(got) != want+"|end" {
			rt.Fatalf("got %q, %v, want %q", got, err, want)
		}
	})
}

// The same fields give the same bytes, whatever their order, and can be read back.
func TestEncodingsAreSteady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOf(rapid.StringMatching(`[A-Z][A-Z0-9_]{0,8}`), rapid.StringMatching(`[ -~]{0,20}`)).Draw(t, "values")
		var fields []sink.Field
		for name, v := range values {
			fields = append(fields, field(name, v))
		}
		reversed := slices.Clone(fields)
		slices.Reverse(reversed)
		for name, encode := range map[string]sink.Encoding{"json": sink.JSON, "env": sink.Env} {
			one, err := encode(fields)
			two, err2 := encode(reversed)
			if err != nil || err2 != nil || !one.Equal(two) {
				t.Fatalf("%s: got %q and %q (%v, %v)", name, one.Reveal(), two.Reveal(), err, err2)
			}
		}
		body, _ := sink.JSON(fields)
		var back map[string]string
		if err := json.Unmarshal([]byte(body.Reveal()), &back); err != nil || len(back) != len(values) {
			t.Fatal(err)
		}
		for name, v := range values {
			if back[name] != v {
				t.Fatalf("%s: got %q back, want %q", name, back[name], v)
			}
		}
	})
}

func TestRecord(t *testing.T) {
	form := sink.Form{Kind: "file", Scope: "/x", Encode: sink.JSON}
	owner := sink.Owner{Instance: "prod", Skill: "s"}
	var key credential.FingerprintKey
	got, err := form.Record(key, owner, "n", []sink.Field{field("a", "1")})
	if err != nil {
		t.Fatal(err)
	}
	want := key.Sum("file", "/x", "n", credential.NewSecret(`{"a":"1"}`))
	if got.Owner != owner || got.Body.Reveal() != `{"a":"1"}` || got.Fingerprint != want || got.Key != "v1-public" {
		t.Errorf("got %+v", got)
	}
	form.Encode = sink.Env
	if _, err := form.Record(key, owner, "n", []sink.Field{field("no name", "1")}); !errors.Is(err, sink.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestOwnerIsZero(t *testing.T) {
	if !(sink.Owner{}).IsZero() || (sink.Owner{Instance: "x"}).IsZero() || (sink.Owner{Skill: "x"}).IsZero() {
		t.Error("only the zero Owner marks nothing")
	}
}
