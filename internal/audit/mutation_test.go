package audit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/scale"
)

// A log is a random trail and what its owner knows of it.
type log struct {
	key   credential.Secret
	lines [][]byte
	head  Head
}

func (l log) bytes() []byte { return slices.Concat(l.lines...) }

// randomLog makes a trail of 1 to 40 records.
func randomLog(t *testing.T, rnd *rand.Rand) log {
	t.Helper()
	l := log{}
	if rnd.IntN(2) == 0 {
		l.key = credential.NewSecret(strconv.Itoa(rnd.Int()))
	}
	c := newChain(l.key)
	for range 1 + rnd.IntN(40) {
		line, err := c.next(nil, Record{
			Event: WriteOutcome, Run: strconv.Itoa(rnd.Int()), Name: oddStrings[rnd.IntN(len(oddStrings))],
			Outcome: []string{"", "created", "failed"}[rnd.IntN(3)], Version: strconv.Itoa(rnd.IntN(100)),
		})
		if err != nil {
			t.Fatal(err)
		}
		l.lines = append(l.lines, line)
	}
	l.head = c.head
	return l
}

func at[T any](rnd *rand.Rand, s []T) int { return rnd.IntN(len(s)) }

// rehash makes the line whole again, without the key.
func rehash(line []byte) []byte {
	body, _, ok := splitSeal(bytes.TrimSuffix(line, []byte("\n")))
	if !ok {
		return line
	}
	return fmt.Appendf(nil, "%s%s%s%s\n", body, hashMember, newSeal(credential.Secret{}).of(body), hashEnd)
}

// mutations change what they get, which is theirs.
var mutations = map[string]func(rnd *rand.Rand, l, other log) []byte{
	"flip a bit": func(rnd *rand.Rand, l, _ log) []byte { b := l.bytes(); b[at(rnd, b)] ^= 1 << rnd.IntN(8); return b },
	"set a byte": func(rnd *rand.Rand, l, _ log) []byte { b := l.bytes(); b[at(rnd, b)] = byte(rnd.Int()); return b },
	"insert a byte": func(rnd *rand.Rand, l, _ log) []byte {
		b := l.bytes()
		return slices.Insert(b, at(rnd, b), byte(rnd.Int()))
	},
	"delete a byte": func(rnd *rand.Rand, l, _ log) []byte {
		b := l.bytes()
		i := at(rnd, b)
		return slices.Delete(b, i, i+1)
	},
	"cut within": func(rnd *rand.Rand, l, _ log) []byte { b := l.bytes(); return b[:at(rnd, b)] },
	"cut out": func(rnd *rand.Rand, l, _ log) []byte {
		b := l.bytes()
		i := at(rnd, b)
		return slices.Delete(b, i, i+1+rnd.IntN(len(b)-i))
	},
	"delete lines": func(rnd *rand.Rand, l, _ log) []byte {
		i := at(rnd, l.lines)
		return slices.Concat(slices.Delete(l.lines, i, i+1+rnd.IntN(len(l.lines)-i))...)
	},
	"repeat a line": func(rnd *rand.Rand, l, _ log) []byte {
		return slices.Concat(slices.Insert(l.lines, rnd.IntN(len(l.lines)+1), l.lines[at(rnd, l.lines)])...)
	},
	"swap two lines": func(rnd *rand.Rand, l, _ log) []byte {
		i, j := at(rnd, l.lines), at(rnd, l.lines)
		l.lines[i], l.lines[j] = l.lines[j], l.lines[i]
		return l.bytes()
	},
	"splice a line": func(rnd *rand.Rand, l, other log) []byte {
		l.lines[at(rnd, l.lines)] = other.lines[at(rnd, other.lines)]
		return l.bytes()
	},
	"splice the rest": func(rnd *rand.Rand, l, other log) []byte {
		return slices.Concat(append(l.lines[:at(rnd, l.lines)], other.lines[at(rnd, other.lines):]...)...)
	},
	"edit and rehash one": func(rnd *rand.Rand, l, _ log) []byte {
		i := at(rnd, l.lines)
		l.lines[i] = rehash(bytes.Replace(l.lines[i], []byte(`"run":"`), []byte(`"run":"9`), 1))
		return l.bytes()
	},
	"rehash all": func(_ *rand.Rand, l, _ log) []byte {
		prev := []byte(genesis)
		for i, line := range l.lines {
			at := bytes.Index(line, []byte(`"prev":"`)) + len(`"prev":"`)
			copy(line[at:], prev)
			l.lines[i] = rehash(line)
			_, sum, _ := splitSeal(bytes.TrimSpace(l.lines[i]))
			prev = []byte(sum)
		}
		return l.bytes()
	},
}

// TestEveryMutationIsFound holds mutated trails against the head of what they
// were: 10,000 of them with CREDSYNC_TEST_FULL.
func TestEveryMutationIsFound(t *testing.T) {
	count, changed := scale.Size(1000, 10_000), 0
	names := make([]string, 0, len(mutations))
	for name := range mutations {
		names = append(names, name)
	}
	slices.Sort(names)
	for n := 0; changed < count; n++ {
		rnd := rand.New(rand.NewPCG(scale.Seed(), uint64(n)))
		l, other := randomLog(t, rnd), randomLog(t, rnd)
		clean, name := l.bytes(), names[n%len(names)]
		mutated := mutations[name](rnd, l, other)
		if bytes.Equal(mutated, clean) {
			continue
		}
		changed++
		report, err := Verify(bytes.NewReader(mutated), VerifyOptions{Key: l.key, Head: l.head})
		switch {
		case err != nil: // found
		case report.FirstSeq > 1: // cut from the beginning: reported, as the head still holds
		case bytes.Equal(append(mutated, '\n'), clean) && len(report.Torn) == 1:
		default:
			t.Errorf("log %d: %s: not found", n, name)
		}
	}
	t.Logf("seed %d: %d mutations of %d kinds", scale.Seed(), changed, len(names))
}

// TestNoCleanTrailIsBlamed verifies 1,000 trails with CREDSYNC_TEST_FULL, of
// which 200 have a line cut anywhere. TestAKillIsNoTampering cuts for real.
func TestNoCleanTrailIsBlamed(t *testing.T) {
	for n := range scale.Size(200, 1000) {
		rnd := rand.New(rand.NewPCG(scale.Seed()+1, uint64(n)))
		l := randomLog(t, rnd)
		want, torn := len(l.lines), 0
		if n%5 == 0 {
			i := at(rnd, l.lines)
			l.lines = slices.Insert(l.lines, i, append(bytes.Clone(l.lines[i][:1+rnd.IntN(len(l.lines[i])-2)]), '\n'))
			torn = 1
		}
		report, err := Verify(bytes.NewReader(l.bytes()), VerifyOptions{Key: l.key, Head: l.head})
		if err != nil || report.Records != want || len(report.Torn) != torn {
			t.Errorf("log %d: got %+v, %v", n, report, err)
		}
	}
}

// FuzzVerify can't make a record, because it does not know the key: what is
// accepted has to be a run of the records it was given.
func FuzzVerify(f *testing.F) {
	whole := lines(f, testKey, 6)
	log := slices.Concat(whole...)
	f.Add(log)
	f.Add(log[:len(log)-1])
	f.Add(slices.Concat(whole[2:]...))
	f.Add(slices.Concat(whole[0], whole[1][:70], []byte("\n"), whole[1]))
	f.Add([]byte(`{"time":"","seq":1,"prev":"` + genesis + `","hash":"` + genesis + "\"}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := Verify(bytes.NewReader(b), VerifyOptions{Key: testKey})
		if err != nil {
			return
		}
		var kept []byte
		for i, line := range bytes.SplitAfter(b, []byte("\n")) {
			if !slices.Contains(report.Torn, i+1) {
				kept = append(kept, line...)
			} else if _, _, ok := splitSeal(line); ok { // lacks its newline alone
				kept = append(append(kept, line...), '\n')
			}
		}
		if !bytes.Contains(log, kept) {
			t.Errorf("accepted %q", kept)
		}
	})
}
