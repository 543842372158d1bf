package status

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// skill returns a skill ID as Amazon makes them.
func skill(n int) credential.SkillID {
	return credential.SkillID(fmt.Sprintf("amzn1.ask.skill.%08x-0000-4000-8000-%012x", n, n))
}

// board returns a Board with job "production" in sinks "vault" and "aws".
func board() *Board {
	b := NewBoard(Build{Version: "test"})
	b.Configure(settings("vault", "aws"))
	return b
}

func settings(sinks ...string) Settings {
	return Settings{Instance: "prod", Config: "credsync.yaml", Jobs: []JobSettings{{
		Name: "production", Schedule: "@hourly", TimeZone: "UTC", Source: "acme", Sinks: sinks, Timeout: 30 * time.Minute,
	}}}
}

// run lets b hear of a run with such results.
func run(b *Board, opts syncer.Options, results ...syncer.Result) {
	w := b.Begin("production", opts)
	w.Start("production", len(results))
	s := syncer.Summary{Run: "r", Job: "production", Started: time.Now(), Counts: make(map[syncer.Outcome]int)}
	for _, r := range results {
		w.Result(r)
		s.Counts[r.Outcome]++
	}
	s.Skills = len(results)
	w.End(s)
}

// result is what became of a skill in a sink.
func result(n int, sink string, outcome syncer.Outcome, reason syncer.Reason) syncer.Result {
	r := syncer.Result{
		Skill: skill(n), Label: fmt.Sprintf("Skill %d", n), Sink: sink, Name: "alexa/" + string(skill(n)),
		Outcome: outcome, Reason: reason, Version: "7",
	}
	if reason != "" {
		r.Version, r.Error = "", fmt.Sprintf("skill %s: no good", skill(n))
	}
	return r
}

// both is the same result in both sinks.
func both(n int, outcome syncer.Outcome, reason syncer.Reason) []syncer.Result {
	return []syncer.Result{result(n, "vault", outcome, reason), result(n, "aws", outcome, reason)}
}

func TestACellTellsOfTheRunsThatReachedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board()
		begin := time.Now()
		hours := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Hour).UTC() }
		for _, r := range [][]syncer.Result{
			both(1, syncer.Created, ""), both(1, syncer.Unchanged, ""), both(1, syncer.Failed, syncer.Denied),
			both(1, syncer.Failed, syncer.Denied), both(1, syncer.Skipped, syncer.Timeout),
		} {
			run(b, syncer.Options{}, r...)
			time.Sleep(time.Hour)
		}
		got := b.Report(Filter{}).Skills.Items[0].Cells[1]
		want := Cell{
			Sink: "aws", Name: "alexa/" + string(skill(1)), Outcome: syncer.Skipped, Reason: syncer.Timeout,
			Since: hours(4), Checked: hours(3), Good: hours(1), Changed: hours(0), Version: "7",
			Error: fmt.Sprintf("skill %s: no good", skill(1)), Cure: syncer.Timeout.Cure(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARunShowsUntilItEnds(t *testing.T) {
	b := board()
	run(b, syncer.Options{Trigger: syncer.TriggerStart}, both(1, syncer.Created, "")...)
	w := b.Begin("production", syncer.Options{Trigger: syncer.TriggerSchedule})
	if got := b.Report(Filter{}).Jobs[0].Running; got == nil || got.Total != 0 {
		t.Errorf("got %+v while the list is read, want a run of no known size", got)
	}
	w.Start("production", 2)
	w.Result(result(1, "vault", syncer.Updated, ""))
	r := b.Report(Filter{})
	if p := r.Jobs[0].Running; p == nil || p.Done != 1 || p.Total != 2 || p.Trigger != syncer.TriggerSchedule {
		t.Errorf("got %+v, want 1 of 2 done", p)
	}
	cells := r.Skills.Items[0].Cells
	if cells[0].Outcome != syncer.Updated || cells[1].Outcome != syncer.Created {
		t.Errorf("got %s and %s, want the new result, and the last known where there is none", cells[0].Outcome, cells[1].Outcome)
	}
	w.End(syncer.Summary{Run: "second", Skills: 1, Counts: map[syncer.Outcome]int{syncer.Updated: 2}})
	r = b.Report(Filter{})
	if j := r.Jobs[0]; j.Running != nil || len(j.Runs) != 2 || j.Runs[0].Run != "second" || j.Runs[0].Result != OK {
		t.Errorf("got %+v, want two runs, the newest first", j)
	}
}

func TestWhatLeftTheListLeavesWithTheNextWholeRun(t *testing.T) {
	b := board()
	run(b, syncer.Options{}, slices.Concat(both(1, syncer.Failed, syncer.Unavailable), both(2, syncer.Created, ""), both(3, syncer.Created, ""))...)
	count := func(want int, after string) {
		t.Helper()
		if got := b.Report(Filter{}).Skills.Total; got != want {
			t.Errorf("%d skills after %s, want %d", got, after, want)
		}
	}
	run(b, syncer.Options{Only: []credential.SkillID{skill(1)}}, both(1, syncer.Created, "")...)
	count(3, "a heal run")
	b.Begin("production", syncer.Options{}).End(syncer.Summary{Err: errors.New("no list")})
	count(3, "a run that could not read its list")
	b.Begin("production", syncer.Options{}).Abandon()
	count(3, "a panic")
	run(b, syncer.Options{}, slices.Concat(both(3, syncer.Unchanged, ""), both(1, syncer.Unchanged, ""))...)
	count(2, "a whole run without one of them")
	items := b.Report(Filter{}).Skills.Items
	if items[0].Skill != string(skill(1)) || items[1].Skill != string(skill(3)) || items[1].Cells[0].Name != "alexa/"+string(skill(3)) {
		t.Errorf("got %+v, want skills 1 and 3 in order", items)
	}
}

func TestAReloadKeepsWhatIsStillThere(t *testing.T) {
	b := board()
	run(b, syncer.Options{}, both(1, syncer.Created, "")...)
	w := b.Begin("production", syncer.Options{})
	w.Start("production", 2)
	s := settings("disk", "aws")
	s.Jobs = append(s.Jobs, JobSettings{Name: "another", Sinks: []string{"disk"}})
	b.Configure(s)
	for _, r := range both(1, syncer.Updated, "") { // the run goes on with the sinks that it began with
		w.Result(r)
	}
	w.End(syncer.Summary{})
	r := b.Report(Filter{})
	cells := r.Skills.Items[0].Cells
	if len(cells) != 2 || cells[0].Sink != "disk" || cells[0].Outcome != "" || cells[1].Outcome != syncer.Updated {
		t.Errorf("got %+v, want nothing of disk and what is known of aws", cells)
	}
	if len(r.Jobs) != 2 || r.Jobs[0].Name != "another" || len(r.Jobs[1].Runs) != 2 {
		t.Errorf("got %+v, want the new job and the old one with its runs", r.Jobs)
	}
	b.Configure(Settings{Jobs: s.Jobs[1:]})
	if r := b.Report(Filter{}); len(r.Jobs) != 1 || r.Skills.Total != 0 {
		t.Errorf("got %+v, want nothing of a job that has gone", r)
	}
	b.Begin("production", syncer.Options{}).Result(result(1, "vault", syncer.Created, "")) // of a job that has gone
}

func TestLinesWithoutASkillAreRowsOfTheirOwn(t *testing.T) {
	b := board()
	bad := func(sink, text string) syncer.Result {
		return syncer.Result{Sink: sink, Outcome: syncer.Failed, Reason: syncer.Invalid, Error: text}
	}
	run(b, syncer.Options{}, bad("vault", "skills.txt:3: bad"), bad("aws", "skills.txt:3: bad"), bad("vault", "skills.txt:9: bad"), bad("aws", "skills.txt:9: bad"))
	r := b.Report(Filter{})
	if r.Skills.Total != 2 || r.Skills.Items[0].Skill != "" || r.Skills.Items[0].Cells[1].Error != "skills.txt:3: bad" {
		t.Errorf("got %+v, want a row for each line", r.Skills)
	}
}

func TestASkillListedTwiceShowsTheWorseResult(t *testing.T) {
	for name, order := range map[string][]syncer.Result{
		"worse last":  {result(1, "vault", syncer.Unchanged, ""), result(1, "vault", syncer.Failed, syncer.Invalid)},
		"worse first": {result(1, "vault", syncer.Failed, syncer.Invalid), result(1, "vault", syncer.Unchanged, "")},
	} {
		b := board()
		run(b, syncer.Options{}, order...)
		if got := b.Report(Filter{}).Skills.Items[0].Cells[0].Outcome; got != syncer.Failed {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestTroublesSayWhatCellsHaveInCommonAndTheCure(t *testing.T) {
	b := board()
	c := settings("vault", "aws")
	c.Command = "credsync -c prod.yaml"
	b.Configure(c)
	w := b.Begin("production", syncer.Options{})
	w.Start("production", 4)
	for _, r := range []syncer.Result{
		result(1, "vault", syncer.Refused, syncer.Brake), result(2, "vault", syncer.Refused, syncer.Brake),
		result(1, "aws", syncer.Refused, syncer.Foreign), result(2, "aws", syncer.Unchanged, ""),
	} {
		w.Result(r)
	}
	w.End(syncer.Summary{Brake: "too many", Plan: "0123456789abcdef", Counts: map[syncer.Outcome]int{syncer.Refused: 3, syncer.Unchanged: 1}})
	r := b.Report(Filter{})
	if r.Jobs[0].Runs[0].Result != Braked || !r.Jobs[0].LastSuccess.IsZero() {
		t.Errorf("got %+v", r.Jobs[0])
	}
	var got []string
	for _, tr := range r.Troubles {
		got = append(got, fmt.Sprintf("%s %s %d: %s", tr.Sink, tr.Reason, tr.Skills, tr.Command))
	}
	want := []string{
		"vault brake 2: credsync -c prod.yaml sync --job production --accept-plan 0123456789abcdef",
		"aws foreign 1: credsync -c prod.yaml adopt --sink aws --dry-run --all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := r.Skills.Outcomes; got[syncer.Refused] != 3 || got[syncer.Unchanged] != 1 || len(got) != len(syncer.Outcomes) {
		t.Errorf("got counts %v", got)
	}
}

func TestASuccessIsWhereNothingIsLeftToDo(t *testing.T) {
	b := board()
	success := func() bool { return !b.Report(Filter{}).Jobs[0].LastSuccess.IsZero() }
	run(b, syncer.Options{}, append(both(1, syncer.Failed, syncer.Unavailable), both(2, syncer.Failed, syncer.Unavailable)...)...)
	run(b, syncer.Options{Only: []credential.SkillID{skill(1)}}, both(1, syncer.Created, "")...)
	if success() {
		t.Error("a heal run that left a failure is no success")
	}
	run(b, syncer.Options{Only: []credential.SkillID{skill(2)}}, both(2, syncer.Created, "")...)
	if !success() {
		t.Error("the heal run that healed the last is one")
	}
}

func TestTheFilterChoosesRows(t *testing.T) {
	b := board()
	var results []syncer.Result
	for n := range 250 {
		results = append(results, result(n, "vault", syncer.Unchanged, ""))
		if n%10 == 0 {
			results = append(results, result(n, "aws", syncer.Failed, syncer.Denied))
		} else {
			results = append(results, result(n, "aws", syncer.Unchanged, ""))
		}
	}
	run(b, syncer.Options{}, results...)
	failed := []syncer.Outcome{syncer.Failed, syncer.Refused}
	for name, tt := range map[string]struct {
		f               Filter
		matching, items int
		first           credential.SkillID
	}{
		"all":             {Filter{}, 250, 100, skill(0)},
		"a page":          {Filter{Offset: 240, Limit: 50}, 250, 10, skill(240)},
		"beyond the end":  {Filter{Offset: 900}, 250, 0, ""},
		"failed":          {Filter{Outcome: failed}, 25, 25, skill(0)},
		"failed in vault": {Filter{Outcome: failed, Sink: "vault"}, 0, 0, ""},
		"failed in aws":   {Filter{Outcome: failed, Sink: "aws", Offset: 1}, 25, 24, skill(10)},
		"another job":     {Filter{Job: "another"}, 0, 0, ""},
		"by label":        {Filter{Text: "SKILL 77"}, 1, 1, skill(77)},
		"by ID":           {Filter{Text: string(skill(13))}, 1, 1, skill(13)},
		"by name":         {Filter{Text: "ALEXA/AMZN1", Limit: 1}, 250, 1, skill(0)},
	} {
		p := b.Report(tt.f).Skills
		first := credential.SkillID("")
		if len(p.Items) > 0 {
			first = credential.SkillID(p.Items[0].Skill)
		}
		if p.Total != 250 || p.Matching != tt.matching || len(p.Items) != tt.items || first != tt.first {
			t.Errorf("%s: got %d matching, %d items from %s; want %d, %d, %s", name, p.Matching, len(p.Items), first, tt.matching, tt.items, tt.first)
		}
	}
}

func TestABoardIsSafeForConcurrentUse(*testing.T) {
	b := board()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			run(b, syncer.Options{}, slices.Concat(both(1, syncer.Updated, ""), both(2, syncer.Failed, syncer.Denied))...)
			b.Waiting("production", time.Now())
		}
	})
	wg.Go(func() {
		for range 20 {
			b.Configure(settings("vault", "aws"))
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 50 {
				b.Report(Filter{Text: "skill"})
				b.Stuck()
			}
		})
	}
	wg.Wait()
}

// fill lets b hear of a run over so many skills, as a sink in AWS has them.
func fill(b *Board, skills int, sinks ...string) {
	version := strings.Repeat("0123456789abcdef", 4)
	w := b.Begin("production", syncer.Options{})
	w.Start("production", skills*len(sinks))
	for n := range skills {
		for _, sink := range sinks {
			w.Result(syncer.Result{
				Skill: skill(n), Label: fmt.Sprintf("Skill %d", n), Sink: sink, Name: "alexa/" + string(skill(n)),
				Outcome: syncer.Unchanged, Version: strings.Clone(version),
			})
		}
	}
	w.End(syncer.Summary{})
}

// heldBy returns the bytes that what f returns holds.
func heldBy(f func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v := f()
	runtime.GC()
	runtime.GC() // what was interned for nobody goes with the second
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(v)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// BenchmarkBoard says what a cell costs, in the dearest case: one sink, where it
// pays for its skill alone, with versions as long as AWS has them.
func BenchmarkBoard(b *testing.B) {
	for _, sinks := range [][]string{{"aws"}, {"aws", "vault", "disk"}} {
		const skills = 50_000
		b.Run(fmt.Sprintf("sinks=%d", len(sinks)), func(b *testing.B) {
			var held int64
			for b.Loop() {
				held = heldBy(func() any {
					board := NewBoard(Build{Version: "test"})
					board.Configure(settings(sinks...))
					fill(board, skills, sinks...)
					board.Report(Filter{})
					return board
				})
			}
			b.ReportMetric(float64(held)/float64(skills*len(sinks)), "B/cell")
		})
	}
}

func TestACellCostsLessThan300Bytes(t *testing.T) {
	const skills = 20_000
	held := heldBy(func() any {
		b := NewBoard(Build{Version: "test"})
		b.Configure(settings("aws"))
		fill(b, skills, "aws")
		b.Report(Filter{})
		return b
	})
	if got := held / skills; got > 300 {
		t.Errorf("a cell costs %d bytes, want 300 at most", got)
	}
}

func BenchmarkReport(b *testing.B) {
	board := NewBoard(Build{Version: "test"})
	board.Configure(settings("aws", "vault"))
	fill(board, 100_000, "aws", "vault")
	for name, f := range map[string]Filter{"first page": {}, "search": {Text: "no such skill"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				board.Report(f)
			}
		})
	}
}
