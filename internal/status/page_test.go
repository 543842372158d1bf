package status

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/syncer"
)

// mixed is a Board on which everything that a page can show is to be seen: two
// jobs, one with a run that goes on, all outcomes, and a source that was throttled.
func mixed() *Board {
	s := &account{pace: 12.5}
	b := NewBoard(Build{Version: "v1.2.3"})
	c := settings("vault", "aws")
	c.Sources = map[string]LiveSource{"acme": s}
	c.Jobs = append(c.Jobs, JobSettings{Name: "staging", Schedule: "0 */6 * * *", TimeZone: "Europe/Berlin", Source: "acme", Sinks: []string{"disk"}})
	b.Configure(c)
	run(b, syncer.Options{Trigger: syncer.TriggerStart}, slices.Concat(both(1, syncer.Created, ""), both(2, syncer.Created, ""), both(3, syncer.Created, ""), both(4, syncer.Created, ""))...)
	s.throttled = 3
	w := b.Begin("production", syncer.Options{Trigger: syncer.TriggerSchedule})
	w.Start("production", 8)
	results := slices.Concat(
		[]syncer.Result{result(1, "vault", syncer.Updated, ""), result(1, "aws", syncer.Refused, syncer.Brake)}, both(2, syncer.Failed, syncer.NotFound),
		[]syncer.Result{result(3, "vault", syncer.Repaired, ""), result(3, "aws", syncer.Refused, syncer.Foreign)}, both(4, syncer.Skipped, syncer.Timeout),
	)
	counts := make(map[syncer.Outcome]int)
	for _, r := range results {
		w.Result(r)
		counts[r.Outcome]++
	}
	w.End(syncer.Summary{Run: "2", Started: time.Now(), Took: 90 * time.Second, Skills: 4, Counts: counts, Brake: "3 of 4 would be updated", Plan: "0123456789abcdef"})
	w = b.Begin("staging", syncer.Options{Trigger: syncer.TriggerHeal})
	w.Start("staging", 7)
	for n := range 3 {
		w.Result(result(n, "disk", syncer.Unchanged, ""))
	}
	b.Waiting("production", time.Now().Add(3*time.Hour))
	return b
}

// pageOf is all that b shows.
func pageOf(b *Board) http.Handler { return Handler(b, Options{Page: StatusPage(b.Report)}) }

// number returns what an element shows, and checks that it shows it to people too.
func (n node) number() float64 {
	n.Helper()
	value, err := strconv.ParseFloat(n.attr("value"), 64)
	if err != nil {
		n.Fatal(err)
	}
	shown := strings.ReplaceAll(strings.Fields(n.text())[0], ",", "")
	if got, err := strconv.ParseFloat(shown, 64); err != nil || got != value {
		n.Errorf("%q is shown for %v", n.text(), value)
	}
	return value
}

func TestEveryNumberOnThePageIsOfTheReport(t *testing.T) {
	b := mixed()
	r := b.Report(Filter{})
	p := browse(t, pageOf(b), "/")

	tally := make(map[syncer.Outcome]int)
	for li := range p.one("class", "tally").tags("li") {
		tally[syncer.Outcome(li.text()[strings.LastIndexByte(li.text(), ' ')+1:])] = int(li.one("value", "").number())
	}
	want := make(map[syncer.Outcome]int)
	for o, n := range r.Skills.Outcomes {
		if n > 0 {
			want[o] = n
		}
	}
	if diff := cmp.Diff(want, tally); diff != "" {
		t.Errorf("by outcome (-report +page)\n%s", diff)
	}
	if got := p.one("id", "headline").text(); got != "6 of 11 secrets are not where they belong" {
		t.Errorf("the first line is %q", got)
	}
	for id, want := range map[string]int{"right": 5, "first": 1, "last": len(r.Skills.Items), "matching": r.Skills.Matching} {
		if got := p.one("id", id).number(); int(got) != want {
			t.Errorf("%s is %v, want %d", id, got, want)
		}
	}
	for _, job := range r.Jobs {
		card := p.one("data-job", job.Name)
		if got := count(card.tags("rect")); got != len(job.Runs) {
			t.Errorf("job %s: %d bars, want %d", job.Name, got, len(job.Runs))
		}
		if !job.Next.IsZero() && !slices.ContainsFunc(slices.Collect(card.tags("time")), func(n node) bool { return n.attr("datetime") == job.Next.Format(time.RFC3339) }) {
			t.Errorf("job %s: %v is not shown", job.Name, job.Next)
		}
	}
	running := p.one("data-job", "staging")
	if done, total := running.one("class", "done").number(), running.one("class", "total").number(); done != 3 || total != 7 || running.one("max", "7").attr("value") != "3" {
		t.Errorf("%v of %v done, want 3 of 7", done, total)
	}
	source := p.one("data-source", "acme")
	if pace, throttled := source.one("class", "pace").number(), source.one("class", "throttled").number(); pace != 12.5 || throttled != 3 {
		t.Errorf("pace %v, throttled %v", pace, throttled)
	}
	if n := count(source.all("class", "hit")); n != 1 {
		t.Errorf("%d marks where Amazon throttled, want 1", n)
	}
}

func TestEveryRowOnThePageIsOfTheReport(t *testing.T) {
	b := mixed()
	r := b.Report(Filter{})
	var rows []node
	for tr := range browse(t, pageOf(b), "/").one("id", "rows").tags("tr") {
		if tr.attr("data-key") != "" {
			rows = append(rows, tr)
		}
	}
	if len(rows) != len(r.Skills.Items) {
		t.Fatalf("%d rows, want %d", len(rows), len(r.Skills.Items))
	}
	for i, s := range r.Skills.Items {
		head := rows[i].one("scope", "row").text()
		if !strings.Contains(head, s.Skill) || !strings.Contains(head, s.Label) {
			t.Errorf("row %d is %q, want %s", i, head, s.Skill)
		}
		cells := slices.Collect(rows[i].tags("td"))
		if len(cells) != len(s.Cells) {
			t.Fatalf("row %d: %d cells, want %d", i, len(cells), len(s.Cells))
		}
		for n, c := range s.Cells {
			text := cells[n].text()
			for _, part := range []string{string(c.Outcome), strings.ReplaceAll(string(c.Reason), "_", " "), c.Name, c.Version, c.Error} {
				if !strings.Contains(text, part) {
					t.Errorf("row %d, sink %s: %q lacks %q", i, c.Sink, text, part)
				}
			}
			cells[n].one("datetime", c.Since.Format(time.RFC3339))
			if cells[n].attr("data-sink") != c.Sink || count(cells[n].all("class", "icon")) != 1 {
				t.Errorf("row %d: cell %d names no sink, or has no shape", i, n)
			}
		}
	}
}

func TestWhatWentWrongStandsWithItsCure(t *testing.T) {
	b := mixed()
	r := b.Report(Filter{})
	p := browse(t, pageOf(b), "/")
	items := slices.Collect(p.all("class", "todo"))
	if len(items) != len(r.Troubles) {
		t.Fatalf("%d things to do, want %d", len(items), len(r.Troubles))
	}
	for _, tr := range r.Troubles {
		i := slices.IndexFunc(items, func(n node) bool {
			return strings.Contains(n.text(), "in sink "+tr.Sink) && strings.Contains(n.text(), " "+string(tr.Reason)+" ")
		})
		if i < 0 {
			t.Fatalf("nothing about %s in %s", tr.Reason, tr.Sink)
		}
		if got := items[i].one("value", "").number(); int(got) != tr.Skills {
			t.Errorf("%s in %s: %v skills, want %d", tr.Reason, tr.Sink, got, tr.Skills)
		}
		if !strings.Contains(items[i].text(), tr.Cure) {
			t.Errorf("%q lacks the cure %q", items[i].text(), tr.Cure)
		}
		if tr.Command != "" && first(items[i].one("class", "command").tags("code")).text() != tr.Command {
			t.Errorf("%q does not give the command %q", items[i].text(), tr.Command)
		}
		rows := browse(t, pageOf(b), items[i].one("data-go", "").attr("href"))
		if got := int(rows.one("id", "matching").number()); got < tr.Skills {
			t.Errorf("the link of %s in %s leads to %d skills, want %d", tr.Reason, tr.Sink, got, tr.Skills)
		}
	}
	if !strings.Contains(p.one("id", "todos").text(), "3 of 4 would be updated") {
		t.Error("why the brake refused is not said")
	}
}

func TestTheFirstLineSaysHowThingsAre(t *testing.T) {
	good := map[syncer.Outcome]int{syncer.Unchanged: 4}
	denied := Source{Name: "acme", Denied: "invalid_grant"}
	broken := func(name string) Job { return Job{Name: name, Runs: []Run{{Error: "no list"}, {}}} }
	for _, c := range []struct {
		state, line string
		report      Report
	}{
		{stateUnknown, "Nothing is known yet", Report{}},
		{stateGood, "Everything is where it belongs", Report{Skills: Page{Outcomes: good}}},
		{stateShort, "1 of 5 secrets is not where it belongs", Report{Skills: Page{Outcomes: map[syncer.Outcome]int{syncer.Unchanged: 4, syncer.Failed: 1}}}},
		{stateShort, "1 of 1 secret is not where it belongs", Report{Skills: Page{Outcomes: map[syncer.Outcome]int{syncer.Skipped: 1}}}},
		{stateShort, "3,000 of 12,000 secrets are not where they belong", Report{Skills: Page{Outcomes: map[syncer.Outcome]int{syncer.Unchanged: 9000, syncer.Refused: 3000}}}},
		{stateShort, "Amazon gives source acme no token", Report{Skills: Page{Outcomes: good}, Sources: []Source{{Name: "well"}, denied}}},
		{stateShort, "Job a could not run", Report{Skills: Page{Outcomes: good}, Jobs: []Job{broken("a")}}},
		{stateShort, "2 jobs could not run", Report{Jobs: []Job{broken("a"), broken("b")}}},
		{stateGood, "Everything is where it belongs", Report{Skills: Page{Outcomes: good}, Jobs: []Job{{Runs: []Run{{}, {Error: "it was"}}}}}},
		{stateDown, "The daemon is not ready", Report{Skills: Page{Outcomes: good}, Problems: []string{"audit trail: full"}}},
	} {
		c.report.Skills.Limit = 100
		p := browse(t, StatusPage(func(Filter) Report { return c.report }), "/")
		if got := p.one("id", "headline").text(); got != c.line || p.one("id", "verdict").attr("data-state") != c.state {
			t.Errorf("got %q, want %q (%s)", got, c.line, c.state)
		}
	}
}

func TestAnAddressThatIsWrongSaysWhy(t *testing.T) {
	h := pageOf(mixed())
	w := get(h, "/?outcome=gone&limit=%3Cscript%3E&x=1")
	p := parse(t, w.Body.String())
	if text := p.one("class", "fault").text(); w.Code != http.StatusBadRequest || !strings.Contains(text, `"gone"`) || !strings.Contains(text, `"<script>"`) || !strings.Contains(text, `"x"`) {
		t.Errorf("got %d %q, want 400 and all three faults", w.Code, text)
	}
	if got := p.one("id", "matching").number(); got != 7 {
		t.Errorf("%v rows, want all", got)
	}
	if w := get(h, "/?q=%zz"); w.Code != http.StatusBadRequest {
		t.Errorf("got %d for what is no query", w.Code)
	}
	for _, path := range []string{"/index.html", "/assets/", "/assets/page.html", "/assets/../page/page.html", "//"} {
		if w := get(h, path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestAssetsAreServedAsWhatTheyAre(t *testing.T) {
	h := pageOf(mixed())
	for e := range browse(t, h, "/").tags("link", "script") {
		path := e.attr("href") + e.attr("src")
		w := get(h, path)
		if want := assetTypes[strings.TrimPrefix(path, assetPath)]; w.Code != 200 || want == "" || w.Header().Get("Content-Type") != want || w.Body.Len() == 0 {
			t.Errorf("%s: got %d %q", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

func TestAPageOfTenThousandSkillsIsSmall(t *testing.T) {
	b := board()
	fill(b, 10_000, "vault", "aws")
	w := get(pageOf(b), "/")
	if p := parse(t, w.Body.String()); count(p.one("id", "rows").tags("td")) != 200 || p.one("id", "matching").number() != 10_000 {
		t.Errorf("%d cells of %v skills", count(p.tags("td")), p.one("id", "matching").number())
	}
	if w.Body.Len() > 300<<10 {
		t.Errorf("the page has %d bytes", w.Body.Len())
	}
	t.Logf("%d bytes", w.Body.Len())
}

func TestLinksAndFormWorkWithoutScript(t *testing.T) {
	b := board()
	fill(b, 230, "vault", "aws")
	h := pageOf(b)

	seen, target, pages := make(map[string]bool), "/?limit=50", 0
	for target != "" {
		p := browse(t, h, target)
		pages, target = pages+1, ""
		for tr := range p.one("id", "rows").tags("tr") {
			if key := tr.attr("data-key"); key != "" {
				seen[key] = true
			}
		}
		if got := p.one("aria-current", "page").text(); got != fmt.Sprintf("Page %d", pages) {
			t.Errorf("on page %d it says %q", pages, got)
		}
		for next := range p.all("rel", "next") {
			target = next.attr("href")
		}
	}
	if len(seen) != 230 || pages != 5 {
		t.Errorf("%d skills on %d pages, want 230 on 5", len(seen), pages)
	}
	p := browse(t, h, "/?limit=50&offset=100")
	if prev := p.one("rel", "prev").attr("href"); prev != "/?limit=50&offset=50#skills" {
		t.Errorf("back leads to %s", prev)
	}
	beyond := browse(t, h, "/?limit=50&offset=5000")
	if back := beyond.one("id", "found").one("data-go", "").attr("href"); back != "/?limit=50&offset=200#skills" {
		t.Errorf("from beyond the end it leads to %s", back)
	}

	form := p.one("id", "filter")
	query := make(url.Values)
	for e := range form.tags("input", "select") {
		query.Set(e.attr("name"), "")
	}
	if form.attr("method") != "get" || form.attr("action") != "/#skills" || count(form.all("type", "submit")) != 1 {
		t.Error("the form can't be sent")
	}
	if _, err := ParseFilter(query); err != nil {
		t.Errorf("what the form sends is not understood: %v", err)
	}
}

func TestTheFormShowsTheFilter(t *testing.T) {
	f := Filter{Job: "production", Sink: "aws", Outcome: []syncer.Outcome{syncer.Failed, syncer.Skipped}, Text: `"a" & <b>`, Limit: 7}
	form := browse(t, pageOf(mixed()), "/?"+f.Query().Encode()).one("id", "filter")
	got := make(url.Values)
	for e := range form.tags("input") {
		if e.attr("type") == "search" || e.has("checked", "") {
			got.Add(e.attr("name"), e.attr("value"))
		}
	}
	for e := range form.tags("select") {
		for o := range e.all("selected", "") {
			got.Add(e.attr("name"), o.text())
		}
	}
	if diff := cmp.Diff(f.Query(), got); diff != "" {
		t.Error(diff)
	}
}

func TestSpansHaveOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 119 * time.Minute: "119 min",
		2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 48 * time.Hour: "2 days", 2400 * 24 * time.Hour: "2,400 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestSharesFillTheBar(t *testing.T) {
	v := view{Report: Report{Skills: Page{Outcomes: map[syncer.Outcome]int{syncer.Unchanged: 99_999, syncer.Failed: 1}}}}
	end := 0.0
	for _, s := range v.Shares() {
		if s.Width < leastShare || s.X != end {
			t.Errorf("%s begins at %v, %v wide; the one before ends at %v", s.Outcome, s.X, s.Width, end)
		}
		end = s.X + s.Width
	}
	if end < 999.9 || end > 1000.1 {
		t.Errorf("the bar is %v wide", end)
	}
}

func TestACurveBreaksWhereNobodyAsked(t *testing.T) {
	at := time.Unix(0, 0)
	s := Source{Paces: []Sample{{At: at, Pace: 5}, {At: at.Add(10 * time.Second), Pace: 10, Throttled: 2}, {At: at.Add(time.Hour), Pace: 2.5}, {At: at.Add(time.Hour + 10*time.Second), Pace: 0}}}
	c := view{}.Curve(s)
	if strings.Count(c.Line, "M") != 2 || strings.Count(c.Area, "Z") != 2 || len(c.Throttled) != 1 || c.Most != 10 {
		t.Errorf("got %+v", c)
	}
	if want := "between 0.0 and 10.0 requests a second; throttled in 1 of 4 samples"; !strings.Contains(c.Text, want) {
		t.Errorf("%q lacks %q", c.Text, want)
	}
	if (view{}).Curve(Source{Paces: s.Paces[:1]}) != nil {
		t.Error("a curve of one point")
	}
	if c := (view{}).Curve(Source{Paces: []Sample{{At: at}, {At: at}}}); strings.Contains(c.Line+c.Area, "NaN") {
		t.Errorf("got %+v", c)
	}
}
