package credential_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
)

const canary = "hunter2-correct-horse-battery-staple"

type (
	exported   struct{ Secret credential.Secret }
	unexported struct{ secret credential.Secret }
	embedded   struct{ credential.Secret }
	pointing   struct{ secret *credential.Secret }
	nested     struct {
		Outer  exported
		inner  unexported
		Many   []credential.Secret
		byName map[string]credential.Secret
	}
	tagged struct {
		Secret credential.Secret `json:"s" yaml:"s" xml:"s,attr"`
	}
	box[T any] struct{ value T }
	named      credential.Secret
	node       struct {
		self   *node
		secret credential.Secret
	}
	withError    struct{ secret credential.Secret }
	withStringer struct{ secret credential.Secret }
	holder       interface{ hold() }
)

func (unexported) hold()              {}
func (w withError) Error() string     { return fmt.Sprintf("refused: %v", w.secret) }
func (w withStringer) String() string { return fmt.Sprint("it is ", w.secret) }

// shapes are the ways in which a program comes to hold a secret.
func shapes() map[string]any {
	s := credential.NewSecret(canary)
	p := &s
	ch := make(chan credential.Secret, 1)
	ch <- s
	var m sync.Map
	m.Store("k", s)
	var av atomic.Value
	av.Store(s)
	var ap atomic.Pointer[credential.Secret]
	ap.Store(p)
	ring := &node{secret: s}
	ring.self = ring
	return map[string]any{
		"value": s, "pointer": p, "pointer to pointer": &p, "exported field": exported{s}, "unexported field": unexported{s},
		"pointer to exported": &exported{s}, "pointer to unexported": &unexported{s}, "embedded": embedded{s}, "pointer to embedded": &embedded{s},
		"pointer in a field": pointing{p}, "slice": []credential.Secret{s, s}, "slice of pointers": []*credential.Secret{p}, "array": [2]credential.Secret{s, s},
		"map": map[string]credential.Secret{"k": s}, "map of structs": map[string]unexported{"k": {s}}, "map by pointer": map[*credential.Secret]int{p: 1},
		"interface": any(s), "slice of any": []any{s, p, unexported{s}}, "field of interface type": struct{ h holder }{unexported{s}}, "map of any": map[any]any{"k": unexported{s}},
		"nested": nested{exported{s}, unexported{s}, []credential.Secret{s}, map[string]credential.Secret{"k": s}}, "anonymous": struct{ a, B credential.Secret }{s, s},
		"tagged": tagged{s}, "generic": box[credential.Secret]{s}, "generic of pointer": box[*unexported]{&unexported{s}}, "named type": named(s), "field of named type": struct{ n named }{named(s)},
		"channel": ch, "struct with channel": struct{ c chan credential.Secret }{ch}, "sync.Map": &m, "atomic.Value": &av, "atomic.Pointer": &ap,
		"closure": struct{ f func() string }{s.Reveal}, "ring": ring, "error": error(withError{s}), "wrapped error": fmt.Errorf("sync: %w", withError{s}), "joined errors": errors.Join(withError{s}, withError{s}),
		"Stringer": withStringer{s}, "credential": credential.Credential{Skill: "x", ClientID: "y", ClientSecret: s}, "fingerprint key": credential.NewFingerprintKey(s),
		"reflect.Value": reflect.ValueOf(unexported{s}),
	}
}

// shown returns all that printers, encoders and loggers make of v.
func shown(v any) string {
	var b bytes.Buffer
	for _, verb := range "vTtbcdoOqxXUeEfFgGspwz!" {
		for _, flags := range []string{"", "+", "#", "-9", "09", "+.3", " "} {
			fmt.Fprintf(&b, "%"+flags+string(verb)+"\n", v)
		}
	}
	fmt.Fprintln(&b, v, fmt.Sprint(v), fmt.Errorf("x: %v %w", v, errors.New("y")))
	encode(&b, v)
	if _, ok := v.(*node); !ok { // an endless encoding, for any content
		record(&b, v)
	}
	return b.String()
}

func encode(b *bytes.Buffer, v any) {
	attempt(b, func() error {
		if _, ok := v.(*node); ok {
			return errors.New("endless")
		}
		out, err := json.Marshal(v)
		b.Write(out)
		return err
	})
	attempt(b, func() error { return xml.NewEncoder(b).Encode(v) })
	attempt(b, func() error { return gob.NewEncoder(b).Encode(v) })
	attempt(b, func() error {
		if _, ok := v.(*node); ok {
			return errors.New("endless")
		}
		out, err := yaml.Dump(v)
		b.Write(out)
		return err
	})
	all := cmp.Exporter(func(reflect.Type) bool { return true })
	attempt(b, func() error { b.WriteString(cmp.Diff(v, nil, all)); return nil })
	attempt(b, func() error {
		b.WriteString(cmp.Diff(v, reflect.New(reflect.TypeOf(v)).Elem().Interface(), all))
		return nil
	})
}

// record logs v in every way that zap and slog know.
func record(b *bytes.Buffer, v any) {
	c := zap.NewDevelopmentEncoderConfig()
	for _, enc := range []zapcore.Encoder{zapcore.NewJSONEncoder(c), zapcore.NewConsoleEncoder(c)} {
		log := zap.New(zapcore.NewCore(enc, zapcore.AddSync(b), zap.DebugLevel))
		object := zapcore.ObjectMarshalerFunc(func(o zapcore.ObjectEncoder) error { return o.AddReflected("v", v) })
		attempt(b, func() error { log.Info("any", zap.Any("v", v)); return nil })
		attempt(b, func() error { log.Info("reflect", zap.Reflect("v", v)); return nil })
		attempt(b, func() error { log.Info("object", zap.Object("o", object), zap.Inline(object)); return nil })
		if s, ok := v.(fmt.Stringer); ok {
			attempt(b, func() error { log.Info("stringer", zap.Stringer("v", s)); return nil })
		}
		if e, ok := v.(error); ok {
			attempt(b, func() error { log.Info("error", zap.Error(e), zap.NamedError("v", e)); return nil })
		}
		attempt(b, func() error {
			log.Sugar().Infow("sugar", "v", v)
			log.Sugar().Infof("%v %+v %#v", v, v, v)
			log.Sugar().Infoln(v)
			return nil
		})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(b, nil), slog.NewJSONHandler(b, nil)} {
		attempt(b, func() error {
			slog.New(h).With("with", v).WithGroup("g").Info("slog", "v", v, slog.Any("any", v))
			return nil
		})
	}
}

// attempt keeps the text of errors and panics too: they reach logs as well.
func attempt(b *bytes.Buffer, f func() error) {
	defer func() { fmt.Fprintln(b, recover()) }()
	if err := f(); err != nil {
		fmt.Fprintf(b, "%v %+v\n", err, err)
	}
}

func spellings(s string) []string {
	bytesOf := strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]")
	return []string{s, s[8:], hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))), base64.StdEncoding.EncodeToString([]byte(s))[:40], bytesOf, strings.ReplaceAll(bytesOf, " ", ",")}
}

func TestNoPrinterShowsASecret(t *testing.T) {
	all := shapes()
	if len(all) < 30 {
		t.Fatalf("got %d shapes, too few", len(all))
	}
	for name, v := range all {
		t.Run(name, func(t *testing.T) {
			text := shown(v)
			for _, s := range spellings(canary) {
				if i := strings.Index(text, s); i >= 0 {
					t.Fatalf("shows the secret: …%.80s", text[max(0, i-60):])
				}
			}
		})
	}
}

// The test above would find a leak: it does where a plain string is held.
func TestThePrintersDoShowAString(t *testing.T) {
	text := shown(struct{ s string }{canary})
	for _, s := range spellings(canary)[:4] {
		if !strings.Contains(text, s) {
			t.Errorf("no printer spelled a string as %q", s)
		}
	}
}

func TestSecret(t *testing.T) {
	s := credential.NewSecret(canary)
	if got := s.Reveal(); got != canary {
		t.Errorf("got %q", got)
	}
	for _, got := range []string{s.String(), s.GoString(), fmt.Sprint(s), fmt.Sprintf("%q", s), fmt.Sprintf("%x", &s)} {
		if got != "[redacted]" {
			t.Errorf("got %q, want [redacted]", got)
		}
	}
	if b, err := json.Marshal(exported{s}); err != nil || string(b) != `{"Secret":"[redacted]"}` {
		t.Errorf("got %s, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"Secret":"x"}`), &exported{}); err == nil {
		t.Error("a secret was read from JSON")
	}
	if err := yaml.Load([]byte(`secret: x`), &struct{ Secret credential.Secret }{}); err == nil {
		t.Error("a secret was read from YAML")
	}
	if reflect.TypeFor[credential.Secret]().Comparable() {
		t.Error("secrets compare with ==, which takes longer the more they agree")
	}
	if got, want := unsafe.Sizeof(s), unsafe.Sizeof(uintptr(0)); got != want {
		t.Errorf("got size %d, want a single pointer, %d", got, want)
	}
}

func TestZeroSecret(t *testing.T) {
	var zero credential.Secret
	if !zero.IsZero() || zero.Reveal() != "" || zero.String() != "[redacted]" {
		t.Error("the zero Secret is not empty")
	}
	if !credential.NewSecret("").IsZero() || !credential.NewSecret("").Equal(zero) {
		t.Error("an empty Secret is not the zero Secret")
	}
	if credential.NewSecret(" ").IsZero() {
		t.Error("a space is something")
	}
	if got := fmt.Sprintf("%v", (*credential.Secret)(nil)); got != "<nil>" {
		t.Errorf("got %q for a nil pointer", got)
	}
}

func TestEqual(t *testing.T) {
	a, b := credential.NewSecret("a"), credential.NewSecret("b")
	tests := []struct {
		s, t credential.Secret
		want bool
	}{{a, a, true}, {a, credential.NewSecret("a"), true}, {a, b, false}, {a, credential.NewSecret("aa"), false}, {a, credential.Secret{}, false}, {credential.Secret{}, credential.Secret{}, true}}
	for i, tt := range tests {
		if got := tt.s.Equal(tt.t); got != tt.want || tt.t.Equal(tt.s) != got {
			t.Errorf("%d: got %v, want %v", i, got, tt.want)
		}
		c, d := credential.Credential{Skill: "s", ClientID: "i", ClientSecret: tt.s}, credential.Credential{Skill: "s", ClientID: "i", ClientSecret: tt.t}
		if got := c.Equal(d); got != tt.want || cmp.Equal(c, d) != got {
			t.Errorf("%d: pairs: got %v, want %v", i, got, tt.want)
		}
	}
	c := credential.Credential{Skill: "s", ClientID: "i", ClientSecret: a}
	for _, d := range []credential.Credential{{Skill: "t", ClientID: "i", ClientSecret: a}, {Skill: "s", ClientID: "j", ClientSecret: a}, {}} {
		if c.Equal(d) {
			t.Errorf("%v equals %v", c, d)
		}
	}
}
