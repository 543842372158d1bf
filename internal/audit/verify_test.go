package audit

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
)

func TestVerifyNamesTheFirstBadLine(t *testing.T) {
	log, other := lines(t, testKey, 9), lines(t, credential.NewSecret("another key"), 9)
	foreign := lines(t, testKey, 9)
	for i := range foreign { // the same numbers, another history
		c := newChain(testKey)
		if i > 0 {
			c.head, _ = readHead(bytes.TrimSpace(foreign[i-1]))
		}
		foreign[i], _ = c.next(nil, Record{Event: RunStart, Host: "elsewhere"})
	}
	edit := func(i int, from, to string) [][]byte {
		l := slices.Clone(log)
		l[i] = bytes.Replace(l[i], []byte(from), []byte(to), 1)
		return l
	}
	tests := []struct {
		name  string
		lines [][]byte
		line  int
		says  string
	}{
		{"a value edited", edit(3, "created", "failed!"), 4, "edited"},
		{"a hash edited", edit(3, `"hash":"`, `"hash":"0`), 4, "not a record"},
		{"a record removed", slices.Delete(slices.Clone(log), 3, 4), 4, "record 5 follows record 3: records between them are missing"},
		{"a record repeated", slices.Insert(slices.Clone(log), 4, log[3]), 5, "repeated or moved"},
		{"two records swapped", append(slices.Clone(log[:3]), log[4], log[3]), 4, "record 5 follows record 3"},
		{"a record of another history", slices.Concat(log[:3], foreign[3:4], log[4:]), 4, "from another chain"},
		{"another history from here", slices.Concat(log[:3], foreign[3:]), 4, "from another chain"},
		{"another key", other, 1, "another key"},
		{"a chain appended", slices.Concat(log, log), 10, "begins anew"},
		{"a record cut short", slices.Concat(log[:3], [][]byte{append(bytes.Clone(log[3][:60]), '\n')}, log[4:]), 4, "cut short, or put there; line 5"},
		{"a line that looks torn, of another number", slices.Insert(slices.Clone(log), 3, append(bytes.Clone(log[7][:70]), '\n')), 4, "put there"},
		{"a line that looks torn, of another history", slices.Insert(slices.Clone(log), 3, append(bytes.Clone(foreign[3][:bytes.Index(foreign[3], []byte(`","hash`))]), '\n')), 4, "put there"},
		{"a line that looks torn, edited", slices.Insert(slices.Clone(log), 3, append(bytes.Replace(log[3][:len(log[3])-20], []byte("created"), []byte("failed!"), 1), '\n')), 4, "put there"},
		{"a line of something else", slices.Insert(slices.Clone(log), 2, []byte("hello\n")), 3, "not a record"},
		{"an empty line", slices.Insert(slices.Clone(log), 2, []byte("\n")), 3, "not a record"},
		{"a huge line", slices.Insert(slices.Clone(log), 2, []byte(strings.Repeat("x", maxLine+2)+"\n")), 3, "longer than"},
		{"no newline between records", edit(3, "\n", ""), 4, "edited"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bad := badLine(t, slices.Concat(test.lines...), VerifyOptions{Key: testKey})
			if bad.Line != test.line || !strings.Contains(bad.Problem, test.says) {
				t.Errorf("got %v, want line %d: …%s…", bad, test.line, test.says)
			}
			if strings.Contains(bad.Error(), "CANARY") {
				t.Errorf("%v shows the key", bad)
			}
		})
	}
}

func TestVerifyHoldsATrailAgainstAHead(t *testing.T) {
	log := slices.Concat(lines(t, testKey, 9)...)
	all := bytes.SplitAfter(log, []byte("\n"))
	head := func(i int) Head { h, _ := readHead(bytes.TrimSpace(all[i-1])); return h }
	tests := []struct {
		name string
		log  []byte
		head Head
		line int // 0 = it holds
		says string
	}{
		{"the last record", log, head(9), 0, ""},
		{"an earlier one", log, head(4), 0, ""},
		{"cut from the end", slices.Concat(all[:6]...), head(9), 7, "cut off here: record 9, which the head names, is missing"},
		{"nothing left", nil, head(9), 1, "cut off here"},
		{"another record of that number", log, Head{4, strings.Repeat("0", 64)}, 4, "not the one that the head names"},
		{"in an earlier file", slices.Concat(all[5:]...), head(4), 1, "which stands in an earlier file"},
		{"before the rotation", slices.Concat(all[5:]...), head(8), 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := VerifyOptions{Key: testKey, Head: test.head}
			if test.line == 0 {
				if _, err := Verify(bytes.NewReader(test.log), o); err != nil {
					t.Error(err)
				}
				return
			}
			if bad := badLine(t, test.log, o); bad.Line != test.line || !strings.Contains(bad.Problem, test.says) {
				t.Errorf("got %v, want line %d: …%s…", bad, test.line, test.says)
			}
		})
	}
}

func TestVerifyReportsWhatIsNoTampering(t *testing.T) {
	log := lines(t, testKey, 6)
	end := log[5][:80]
	log = log[:5]
	head, _ := readHead(bytes.TrimSpace(log[4]))
	torn := log[2][:80]
	tests := []struct {
		name string
		log  []byte
		want Report
	}{
		{"nothing", nil, Report{}},
		{"a whole chain", slices.Concat(log...), Report{Records: 5, FirstSeq: 1, Head: head}},
		{"the rest of a chain", slices.Concat(log[2:]...), Report{Records: 3, FirstSeq: 3, Head: head}},
		{"a torn end", append(slices.Concat(log...), end...), Report{Records: 5, FirstSeq: 1, Head: head, Torn: []int{6}}},
		{"torn lines that were ended", slices.Concat(torn, []byte("\n"), log[0], log[1], torn, []byte("\n"), torn, []byte("\n"), log[2], log[3], log[4]), Report{Records: 5, FirstSeq: 1, Head: head, Torn: []int{1, 4, 5}}},
		{"what a power cut left", append(slices.Concat(log...), append(bytes.Clone(end), make([]byte, 4096)...)...), Report{Records: 5, FirstSeq: 1, Head: head, Torn: []int{6}}},
		{"the last newline missing", bytes.TrimSuffix(slices.Concat(log...), []byte("\n")), Report{Records: 5, FirstSeq: 1, Head: head, Torn: []int{5}}},
	}
	for _, test := range tests {
		got, err := Verify(iotest.HalfReader(bytes.NewReader(test.log)), VerifyOptions{Key: testKey})
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", test.name, err, diff)
		}
	}
}

func TestVerifySaysThatItCouldNotRead(t *testing.T) {
	in := io.MultiReader(bytes.NewReader(slices.Concat(lines(t, testKey, 2)...)), iotest.ErrReader(io.ErrClosedPipe))
	report, err := Verify(in, VerifyOptions{Key: testKey})
	if !errors.Is(err, io.ErrClosedPipe) || report.Records != 2 {
		t.Errorf("got %d records, %v", report.Records, err)
	}
}

func TestParseHead(t *testing.T) {
	hash := strings.Repeat("0af9", 16)
	want := Head{Seq: 42, Hash: hash}
	if got, err := ParseHead(want.String()); got != want || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got := (Head{}).String(); got != "" {
		t.Errorf("zero: got %q", got)
	}
	for _, bad := range []string{"", "42", ":" + hash, "0:" + hash, "-1:" + hash, "42:" + hash[1:], "42:" + strings.ToUpper(hash), "42:" + hash + ":"} {
		if got, err := ParseHead(bad); err == nil {
			t.Errorf("%q: got %v", bad, got)
		}
	}
}
