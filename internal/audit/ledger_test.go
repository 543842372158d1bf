package audit

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/scale"
)

func all(Record) bool { return true }

// abandoned lists as RUN NAME what trail finds.
func abandoned(t *testing.T, trail *Trail) (found []string) {
	t.Helper()
	for r, err := range trail.Abandoned(t.Context(), all) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, r.Run+" "+r.Name)
	}
	return found
}

// add appends records.
func add(t *testing.T, trail *Trail, records ...Record) {
	t.Helper()
	for _, r := range records {
		if err := trail.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func intent(run, name string) Record {
	return Record{Event: WriteIntent, Run: run, Sink: "vault", Name: name, Action: Create}
}

func outcome(run, name string) Record {
	return Record{Event: WriteOutcome, Run: run, Sink: "vault", Name: name, Action: Create, Outcome: "created"}
}

func TestWhatAStoppedWriterAnnouncedIsFound(t *testing.T) {
	adopt := Record{Event: Adopt, Run: "a", Sink: "vault", Name: "x", Action: AdoptSecret}
	adopted := adopt
	adopted.Outcome = "adopted"
	elsewhere := outcome("a", "x")
	elsewhere.Sink = "aws"
	for name, test := range map[string]struct {
		records []Record
		want    []string
	}{
		"nothing":                         {nil, nil},
		"an intent":                       {[]Record{intent("a", "x")}, []string{"a x"}},
		"an intent and its outcome":       {[]Record{intent("a", "x"), outcome("a", "x")}, nil},
		"an outcome of another run":       {[]Record{intent("a", "x"), outcome("b", "x")}, []string{"a x"}},
		"an outcome of another name":      {[]Record{intent("a", "x"), outcome("a", "y")}, []string{"a x"}},
		"an outcome in another sink":      {[]Record{intent("a", "x"), elsewhere}, []string{"a x"}},
		"an outcome before":               {[]Record{outcome("a", "x"), intent("a", "x")}, []string{"a x"}},
		"two intents and one outcome":     {[]Record{intent("a", "x"), intent("a", "x"), outcome("a", "x")}, []string{"a x"}},
		"an outcome without an intent":    {[]Record{intent("a", "x"), outcome("a", "x"), outcome("a", "x"), intent("a", "x")}, []string{"a x"}},
		"several, in their order":         {[]Record{intent("b", "z"), intent("a", "y"), outcome("b", "z"), intent("b", "x")}, []string{"a y", "b x"}},
		"an adoption":                     {[]Record{adopt}, []string{"a x"}},
		"an adoption that was made":       {[]Record{adopt, adopted}, nil},
		"an adoption, and another's end":  {[]Record{adopt, outcome("a", "x")}, []string{"a x"}},
		"a name that looks like a record": {[]Record{intent("a", `x","name":"y`), outcome("a", "y")}, []string{`a x","name":"y`}},
		"a run that said it is over":      {[]Record{intent("a", "x"), {Event: RunFinish, Run: "a"}}, []string{"a x"}},
		"what was reconciled":             {[]Record{intent("a", "x"), {Event: WriteOutcome, Run: "a", Sink: "vault", Name: "x", Outcome: "reconciled"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := tempTrail(t)
			dead := open(t, Options{Files: []string{path}})
			add(t, dead, test.records...)
			if err := dead.Close(); err != nil {
				t.Fatal(err)
			}
			trail := open(t, Options{Files: []string{path}})
			for range 2 { // who looks takes nothing away
				if diff := cmp.Diff(test.want, abandoned(t, trail)); diff != "" {
					t.Error(diff)
				}
			}
			var open []string
			for _, r := range verify(t, path, VerifyOptions{}).Open {
				open = append(open, r.Run+" "+r.Name)
			}
			if diff := cmp.Diff(test.want, open); diff != "" {
				t.Errorf("verify: %s", diff)
			}
		})
	}
}

func TestAnAnnouncementComesBackWhole(t *testing.T) {
	path := tempTrail(t)
	want := Record{
		Event: WriteIntent, Run: "r", Job: "j", Trigger: "manual", Skill: "amzn1.ask.skill.x", Sink: "vault", Name: oddStrings[0] + `"\`,
		Action: Update, PrevVersion: "3", Fingerprint: "f00",
	}
	dead := open(t, Options{Host: "h", Files: []string{path}})
	add(t, dead, Record{Event: RunStart}, want)
	_ = dead.Close()
	want.Seq = 2
	for got, err := range open(t, Options{Files: []string{path}}).Abandoned(t.Context(), all) {
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

func TestNobodyConcludesForTheLiving(t *testing.T) {
	path := tempTrail(t)
	living, other := open(t, Options{Files: []string{path}}), open(t, Options{Files: []string{path}})
	add(t, living, intent("a", "x"), intent("b", "y"))
	add(t, other, Record{Event: RunStart})
	for _, trail := range []*Trail{living, other} {
		if got := abandoned(t, trail); got != nil {
			t.Errorf("of the living: %v", got)
		}
	}
	// A run that is over is dead, though its process lives.
	add(t, living, Record{Event: RunFinish, Run: "a"})
	for _, trail := range []*Trail{living, other} {
		if diff := cmp.Diff([]string{"a x"}, abandoned(t, trail)); diff != "" {
			t.Error(diff)
		}
	}
	_ = living.Close()
	if diff := cmp.Diff([]string{"a x", "b y"}, abandoned(t, other)); diff != "" {
		t.Error(diff)
	}
}

func TestNoTwoConcludeTheSame(t *testing.T) {
	path := tempTrail(t)
	dead := open(t, Options{Files: []string{path}})
	add(t, dead, intent("a", "x"), intent("a", "y"))
	_ = dead.Close()
	one, two := open(t, Options{Files: []string{path}}), open(t, Options{Files: []string{path}})
	n := 0
	for r, err := range one.Abandoned(t.Context(), all) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, trail := range []*Trail{one, two} {
			if got := abandoned(t, trail); slices.Contains(got, r.Run+" "+r.Name) {
				t.Errorf("both were handed %v", got)
			}
		}
		add(t, one, outcome(r.Run, r.Name))
	}
	if got := abandoned(t, two); n != 2 || got != nil {
		t.Errorf("concluded %d, left %v", n, got)
	}
}

func TestOnlyWhatIsWantedIsTaken(t *testing.T) {
	path := tempTrail(t)
	dead := open(t, Options{Files: []string{path}})
	add(t, dead, intent("a", "x"), intent("a", "y"))
	_ = dead.Close()
	one, two := open(t, Options{Files: []string{path}}), open(t, Options{Files: []string{path}})
	for r, err := range one.Abandoned(t.Context(), func(r Record) bool { return r.Name == "y" }) {
		if r.Name != "y" || err != nil {
			t.Errorf("got %s, %v", r.Name, err)
		}
		if diff := cmp.Diff([]string{"a x"}, abandoned(t, two)); diff != "" {
			t.Error(diff)
		}
	}
}

// Lines of others, torn ones and huge ones are passed over.
func TestALedgerReadsOnWhateverStandsThere(t *testing.T) {
	path := tempTrail(t)
	trail := open(t, Options{Files: []string{path}})
	add(t, trail, intent("a", "x"))
	for _, garbage := range []string{
		"\n", "{}\n", "hello\n", strings.Repeat("x", 3*ledgerBuffer) + "\n", "\x00\x00\xff\n",
		lineStart + `","event":"write.outcome","run":"a","sink":"vault","name":"x"}` + "\n",                                                                       // no seal
		lineStart + `","event":"write.intent","run":"b","sink":"vault","name":"bad` + "\x01" + `","prev":"` + genesis + hashMember[1:] + genesis + hashEnd + "\n", // no JSON
		lineStart + `","seq":-1,"event":"write.intent","run":"c","sink":"vault","name":"bad","prev":"` + genesis + `"` + hashMember + genesis + hashEnd + "\n",    // no number
		lineStart + `","event":"write.`, // torn
	} {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.WriteString(garbage)
		_ = f.Close()
		_ = abandoned(t, trail) // each once at the end, and once in the middle
	}
	other := open(t, Options{Files: []string{path}})
	add(t, other, intent("a", "y"), Record{Event: RunFinish, Run: "a"})
	_ = other.Close()
	_ = trail.Close()
	if diff := cmp.Diff([]string{"a x", "a y"}, abandoned(t, open(t, Options{Files: []string{path}}))); diff != "" {
		t.Error(diff)
	}
}

func TestARotationHidesNothing(t *testing.T) {
	const long = "long enough to reach beyond what stood there before"
	for name, test := range map[string]struct {
		rotate func(path string) error
		want   []string // beside what comes after
	}{
		"renamed":         {func(path string) error { return os.Rename(path, path+".1") }, []string{"a x"}},
		"renamed by date": {func(path string) error { return os.Rename(path, strings.TrimSuffix(path, ".jsonl")+"-20261125.jsonl") }, []string{"a x"}},
		"removed":         {os.Remove, nil},
		"truncated":       {func(path string) error { return os.Truncate(path, 0) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := tempTrail(t)
			dead, living := open(t, Options{Files: []string{path}}), open(t, Options{Files: []string{path}})
			add(t, dead, intent("a", "x"), intent("a", "done"), outcome("a", "done"))
			add(t, living, intent("c", "x"))
			_ = dead.Close()
			trail := open(t, Options{Files: []string{path}})
			add(t, trail, Record{Event: RunStart})
			_ = abandoned(t, trail)
			if err := test.rotate(path); err != nil {
				t.Fatal(err)
			}
			add(t, trail, intent("b", long), Record{Event: RunFinish, Run: "b"})
			newcomer := open(t, Options{Files: []string{path}})
			for _, trail := range []*Trail{trail, newcomer} {
				if diff := cmp.Diff(append(slices.Clone(test.want), "b "+long), abandoned(t, trail)); diff != "" {
					t.Error(diff)
				}
			}
			add(t, living, intent("c", "y")) // it moves on, and shows that it lives
			for _, trail := range []*Trail{trail, newcomer} {
				if diff := cmp.Diff(append(slices.Clone(test.want), "b "+long), abandoned(t, trail)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestAStreamHasNothingToReadBack(t *testing.T) {
	trail := open(t, Options{Streams: []Stream{{"buffer", &bytes.Buffer{}}}})
	add(t, trail, intent("a", "x"), Record{Event: RunFinish, Run: "a"})
	if got := abandoned(t, trail); got != nil {
		t.Errorf("got %v", got)
	}
}

// TestEveryIntentIsConcludedOnce has writers killed, and others that end by
// themselves, on one file that two others keep reconciling.
func TestEveryIntentIsConcludedOnce(t *testing.T) {
	path, rounds := tempTrail(t), scale.Size(10, 200)
	rnd := rand.New(rand.NewPCG(scale.Seed(), 5))
	reconciled, stop := 0, make(chan struct{})
	var mu sync.Mutex
	conclude := func(trail *Trail) {
		for r, err := range trail.Abandoned(t.Context(), all) {
			if err != nil {
				t.Error(err)
				return
			}
			r.Event, r.Outcome = WriteOutcome, "reconciled"
			add(t, trail, r)
			mu.Lock()
			reconciled++
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	for range 2 {
		trail := open(t, Options{Files: []string{path}})
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					conclude(trail)
				}
			}
		})
	}
	for range rounds {
		quick, _ := startChild(t, path, 2)
		child, out := startChild(t, path, 0)
		for range 1 + rnd.IntN(30) {
			out.Scan()
		}
		_ = child.Process.Kill()
		_, _ = child.Wait(), quick.Wait()
	}
	close(stop)
	wg.Wait()
	conclude(open(t, Options{Files: []string{path}}))
	concluded := make(map[string]int)
	for line := range bytes.Lines(read(t, path)) {
		event, rest := member(line, `,"event":"`)
		id, _ := member(rest, `,"name":"`) // the run is in it
		switch id := string(id); Event(event) {
		case WriteIntent:
			concluded[id] += 0
		case WriteOutcome:
			concluded[id]++
		}
	}
	for id, n := range concluded {
		if n != 1 {
			t.Errorf("%s: concluded %d times", id, n)
		}
	}
	verify(t, path, VerifyOptions{})
	t.Logf("seed %d: %d intents of %d writers, %d of them reconciled", scale.Seed(), len(concluded), 2*childWriters*rounds, reconciled)
}
