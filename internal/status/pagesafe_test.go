package status

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// hostile is what would be obeyed where it is not taken for text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg onload=alert(1)>`, `javascript:alert(1)`,
	`</title><script>alert(1)</script>`, `--></style><iframe srcdoc=x>`, `{{.Secret}}`, "\x00\u202e<b>\ufeff", `&lt;i&gt;`,
}

// occupied is a report with s wherever there is a string.
func occupied(s string) Report {
	now := time.Now().UTC()
	outcomes := map[syncer.Outcome]int{syncer.Failed: 1, syncer.Outcome(s): 1}
	job := Job{
		Name: s, Schedule: s, TimeZone: s, Source: s, Sinks: []string{s}, Next: now, LastRun: now, LastSuccess: now,
		Running: &Progress{Trigger: syncer.Trigger(s), Started: now, Done: 1, Total: 2},
		Runs:    []Run{{Run: s, Trigger: syncer.Trigger(s), Result: Verdict(s), Outcomes: outcomes, Orphans: 1, Plan: s, Brake: s, Error: s}},
	}
	cell := Cell{Sink: s, Name: s, Outcome: syncer.Outcome(s), Version: s, Reason: syncer.Reason(s), Error: s, Cure: s, Command: s, Since: now, Good: now}
	return Report{
		Instance: s, Version: s, Config: s, Now: now, Problems: []string{s}, Jobs: []Job{job},
		Sources:  []Source{{Name: s, Denied: s, Paces: []Sample{{At: now, Pace: 1}, {At: now, Pace: 1}}}},
		Troubles: []Trouble{{Job: s, Sink: s, Outcome: syncer.Outcome(s), Reason: syncer.Reason(s), Skills: 1, Error: s, Cure: s, Command: s}},
		Skills:   Page{Outcomes: outcomes, Total: 300, Matching: 300, Limit: 100, Items: []Skill{{Job: s, Skill: s, Label: s, Cells: []Cell{cell}}}},
	}
}

func TestNothingThatIsShownIsObeyed(t *testing.T) {
	shown := func(s string) node {
		h := StatusPage(func(Filter) Report { return occupied(s) })
		return browse(t, h, "/?"+Filter{Job: s, Sink: s, Text: s}.Query().Encode())
	}
	want := kinds(shown("x"))
	for _, s := range hostile {
		p := shown(s)
		got := kinds(p)
		if !maps.Equal(want, got) {
			t.Errorf("%q makes elements: got %v, want %v", s, got, want)
		}
		harmless(p)
		if s[0] == '<' && strings.Count(p.text(), s) < 20 {
			t.Errorf("%q is shown %d times only", s, strings.Count(p.text(), s))
		}
	}
}

// kinds counts the elements of p by their kind.
func kinds(p node) map[string]int {
	n := make(map[string]int)
	for e := range p.all("", "") {
		n[e.Data]++
	}
	return n
}

// harmless checks that nothing on p acts, or looks elsewhere, or breaks the
// policy that the page is served with.
func harmless(p node) {
	p.Helper()
	for e := range p.all("", "") {
		switch e.Data {
		case "img", "iframe", "object", "embed", "base", "style", "foreignObject", "animate", "set":
			p.Errorf("there is an element %s", e.Data)
		case "script":
			if e.attr("src") != "/assets/page.js" || e.text() != "" {
				p.Errorf("a script %q %q", e.attr("src"), e.text())
			}
		}
		for _, a := range e.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction":
				p.Errorf("%s has an attribute %s", e.Data, a.Key)
			case a.Key == "href", a.Key == "src", a.Key == "action", a.Key == "xlink:href":
				if !strings.HasPrefix(a.Val, "#") && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) {
					p.Errorf("%s leads to %q", e.Data, a.Val)
				}
			}
		}
	}
}

func FuzzThePageTakesTextForText(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	want := -1
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			return
		}
		h := StatusPage(func(Filter) Report { return occupied(s + "x") })
		p := browse(t, h, "/?"+Filter{Text: s}.Query().Encode())
		harmless(p)
		n := count(p.all("", ""))
		if want < 0 {
			want = n
		}
		if n != want {
			t.Errorf("%q makes elements: there are %d, want %d", s, n, want)
		}
	})
}

// TestHostileListsStayText goes the whole way, from what a run reports.
func TestHostileListsStayText(t *testing.T) {
	b := board()
	var results []syncer.Result
	for i, s := range hostile {
		results = append(results, syncer.Result{
			Skill: credential.SkillID(fmt.Sprintf("amzn1.ask.skill.%d", i)), Label: s, Sink: "vault", Name: s, Outcome: syncer.Failed, Reason: syncer.Invalid, Version: s, Error: s,
		})
	}
	run(b, syncer.Options{}, results...)
	p := browse(t, pageOf(b), "/")
	harmless(p)
	if !strings.Contains(p.one("id", "rows").text(), hostile[0]) {
		t.Error("the label is not shown")
	}
}

func TestThePageIsWellMade(t *testing.T) {
	for name, b := range map[string]*Board{"mixed": mixed(), "empty": board(), "bare": NewBoard(Build{})} {
		t.Run(name, func(t *testing.T) { wellMade(browse(t, pageOf(b), "/")) })
	}
}

// wellMade checks what those need who read p by ear, or without colours, or by
// keyboard.
func wellMade(p node) {
	p.Helper()
	ids := make(map[string]bool)
	for e := range p.all("id", "") {
		if ids[e.attr("id")] {
			p.Errorf("two elements have the ID %s", e.attr("id"))
		}
		ids[e.attr("id")] = true
	}
	harmless(p)
	for _, tag := range []string{"main", "h1", "footer"} {
		if count(p.tags(tag)) != 1 {
			p.Errorf("%d elements %s, want one", count(p.tags(tag)), tag)
		}
	}
	if first := p.one("class", "skip"); first.attr("href") != "#main" {
		p.Error("there is no way past the head")
	}
	level := 0
	for h := range p.tags("h1", "h2", "h3", "h4") {
		n := int(h.Data[1] - '0')
		if n > level+1 {
			p.Errorf("heading %q leaves out a level", h.text())
		}
		level = n
	}
	for e := range p.all("href", "") {
		if id, ok := strings.CutPrefix(e.attr("href"), "#"); ok && !ids[id] {
			p.Errorf("%s leads to #%s, which is not there", e.Data, id)
		}
	}
	for e := range p.all("aria-labelledby", "") {
		if !ids[e.attr("aria-labelledby")] {
			p.Errorf("%s is named by %s, which is not there", e.Data, e.attr("aria-labelledby"))
		}
	}
	for e := range p.tags("input", "select") {
		labelled := e.Parent.Data == "label"
		for l := range p.tags("label") {
			labelled = labelled || e.attr("id") != "" && l.attr("for") == e.attr("id")
		}
		if !labelled {
			p.Errorf("field %s has no label", e.attr("name"))
		}
	}
	for table := range p.tags("table") {
		if count(table.tags("caption")) != 1 {
			p.Error("a table has no caption")
		}
		for th := range table.tags("th") {
			if th.attr("scope") == "" {
				p.Errorf("of what is %q the head?", th.text())
			}
		}
	}
	for svg := range p.tags("svg") {
		if svg.attr("aria-hidden") != "true" && (svg.attr("role") != "img" || svg.attr("aria-label") == "") {
			p.Error("a picture says nothing to who can't see it")
		}
	}
}

func TestEverythingHasAShapeAndAWord(t *testing.T) {
	p := browse(t, pageOf(mixed()), "/")
	shapes := []string{"", stateGood, stateShort, stateDown, stateUnknown, "running"}
	for _, o := range syncer.Outcomes {
		shapes = append(shapes, string(o))
	}
	for _, v := range Verdicts {
		shapes = append(shapes, string(v))
	}
	css := get(pageOf(mixed()), "/assets/page.css").Body.String()
	for _, s := range shapes {
		p.one("id", strings.TrimPrefix(iconOf(s), "#"))
		if s != "" && !strings.Contains(css, ".is-"+s) {
			t.Errorf("%s has no colour", s)
		}
	}
	for _, r := range syncer.Reasons {
		if r != syncer.NoReason && titles[r] == "" {
			t.Errorf("%s has no title", r)
		}
	}
}

func TestThePageNeedsNothingBeside(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(assetTypes)) {
		w := httptest.NewRecorder()
		pageOf(board()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+assetPath+name, nil))
		text := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http:", "https:", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "localStorage", "cookie"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}
