package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestLineIsAsTheDesignFixesIt(t *testing.T) {
	c := newChain(testKey)
	c.head = Head{Seq: 6, Hash: strings.Repeat("ab", 32)}
	line, err := c.next(nil, Record{
		Time:  time.Date(2026, 11, 23, 2, 4, 6, 7000, time.FixedZone("", 3600)),
		Event: WriteOutcome, Run: "run", Job: "job", Trigger: "manual", Skill: "skill", Sink: "sink", Name: "name",
		Action: Update, Outcome: "failed", Reason: "rate_limited", PrevVersion: "1", Version: "2",
		Fingerprint: "fp", Took: 1500 * time.Microsecond, Host: "host",
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _, _ := strings.Cut(string(line), `,"hash"`)
	want := `{"time":"2026-11-23T01:04:06.000007Z","seq":7,"event":"write.outcome","run":"run","job":"job","trigger":"manual",` +
		`"skill":"skill","sink":"sink","name":"name","action":"update","outcome":"failed","reason":"rate_limited",` +
		`"prev_version":"1","version":"2","fingerprint":"fp","took_ms":2,"host":"host","prev":"` + strings.Repeat("ab", 32) + `"`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !bytes.HasSuffix(line, []byte(c.head.Hash+"\"}\n")) {
		t.Errorf("%s does not end with its hash", line)
	}
}

func TestEmptyMembersAreLeftOut(t *testing.T) {
	line, err := newChain(testKey).next(nil, Record{Event: RunStart})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "hash")
	want := map[string]any{"time": "0001-01-01T00:00:00.000000Z", "seq": 1.0, "event": "run.start", "prev": strings.Repeat("0", 64)}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Error(diff)
	}
}

var oddStrings = []string{
	"two\nlines\r\n", `quote " and \`, "sep\u2028\u2029\u0085", "\x1b[31mred\x1b[0m\u009b31m", "bad \xff\xfe utf-8 \xe2\x80",
	"\u202eevil", "\x00\x7f", "tag \U000e0041", `","hash":"` + strings.Repeat("0", 64) + `"}`, "=cmd|' /C calc'!A0", "日本語 ünïcode 🔑",
}

func TestOddStringsMakeOneLineThatParsesBack(t *testing.T) {
	for _, s := range oddStrings {
		checkOdd(t, s)
	}
}

func checkOdd(t *testing.T, s string) {
	t.Helper()
	line, err := newChain(testKey).next(nil, Record{Event: WriteIntent, Name: s, Host: s})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(string(line), "\n")
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q is not printable", text)
	}
	var back struct{ Name string }
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if want := validUTF8(s); back.Name != want {
		t.Errorf("name: got %q, want %q", back.Name, want)
	}
	report, err := Verify(bytes.NewReader(line), VerifyOptions{Key: testKey})
	if err != nil || report.Records != 1 {
		t.Errorf("verify %q: got %d records, %v", line, report.Records, err)
	}
}

// validUTF8 replaces each invalid byte.
func validUTF8(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

func FuzzLine(f *testing.F) {
	for _, s := range oddStrings {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) <= maxMember {
			checkOdd(t, s)
		}
	})
}

func TestTextsAreRefused(t *testing.T) {
	tests := map[string]Record{
		"no event":            {},
		"an unknown event":    {Event: "write.maybe"},
		"an unknown action":   {Event: WriteIntent, Action: "delete"},
		"an error as outcome": {Event: WriteOutcome, Outcome: "dial tcp: refused"},
		"an error as reason":  {Event: WriteOutcome, Reason: "Denied by policy X"},
		"a text as trigger":   {Event: RunStart, Trigger: strings.Repeat("x", maxWord+1)},
		"a body as name":      {Event: WriteIntent, Name: strings.Repeat("x", maxMember+1)},
	}
	var out bytes.Buffer
	trail := open(t, Options{Streams: []Stream{{"buffer", &out}}})
	for name, r := range tests {
		if err := trail.Append(t.Context(), r); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}

func TestTheLongestRecordIsReadBack(t *testing.T) {
	for _, odd := range []string{"\x01", "\xff", "\u202e", "\U000e0041"} {
		long := strings.Repeat(odd, maxMember/len(odd))
		r := Record{Event: WriteIntent, Run: long, Job: long, Skill: long, Sink: long, Name: long, PrevVersion: long, Version: long, Fingerprint: long, Host: long}
		if err := r.check(); err != nil {
			t.Fatal(err)
		}
		line, err := newChain(testKey).next(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(bytes.NewReader(line), VerifyOptions{Key: testKey}); err != nil {
			r, _ := utf8.DecodeRuneInString(odd)
			t.Errorf("%q: a line of %d bytes: %v", r, len(line), err)
		}
	}
}
