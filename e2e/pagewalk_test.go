package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// facing starts a daemon that runs once and shows itself, with the sink "disk".
func (w *world) facing() (*process, *page) {
	w.Helper()
	w.withFiles("{skill_id}.json", nil)
	w.job["schedule"], w.job["on_start"] = "0 0 1 1 *", true
	w.more["http"] = settings{"listen": "127.0.0.1:0"}
	d := start(w.T, w.command(w.Context(), "--log-format", "json", "run"))
	p := &page{T: w.T, base: "http://" + d.says(`"msg":"http: serving","address":"([^"]+)"`)}
	until(w.T, 5*time.Minute, "the run ends", func() bool { return strings.Contains(d.out.String(), `"msg":"run finished`) })
	return d, p
}

// tell evaluates a script, past the page's policy.
func tell[T any](p *page, script string) T {
	p.Helper()
	return browsed(p, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// comes waits until a script comes to true.
func (p *page) comes(what, script string) {
	p.Helper()
	until(p.T, 2*time.Minute, what, func() bool { return tell[bool](p, "!!("+script+")") })
}

func (p *page) focus(selector string) {
	p.Helper()
	tell[bool](p, fmt.Sprintf("document.querySelector(%q).focus(); true", selector))
}

func (p *page) press(keys string) {
	p.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// alive is true once the page's own script is at work.
const alive = "document.documentElement.classList.contains('alive')"

// focused is what has the focus, and how that is marked.
const focused = `(() => {
	const e = document.activeElement, label = e.closest("label");
	const mark = [e, label].map((m) => m ? getComputedStyle(m).outlineStyle : "none").find((m) => m !== "none") ?? "none";
	return (e.id || e.name && e.name + e.value || e.textContent.replace(/\s+/g, " ").trim()) + "|" + mark;
})()`

func TestThePageWorksByKeyboard(t *testing.T) {
	w := newWorld(t, 130)
	w.amazon.fault(map[string]any{"operation": "credentials", "skill": w.amazon.skills()[0], "status": 404, "count": -1})
	d, p := w.facing()
	p.open(t, "/")
	p.comes("the page is alive", alive)

	var stops []string
	for range 60 {
		p.press("\t")
		if tell[bool](p, "document.activeElement === document.body") {
			break // the end
		}
		name, mark, _ := strings.Cut(tell[string](p, focused), "|")
		if mark == "none" {
			t.Errorf("nothing shows that the focus is at %q", name)
		}
		stops = append(stops, name)
	}
	for _, want := range []string{"pause", "1 skill Amazon has no credentials for it", "q", "f-job", "f-sink", "f-limit", "outcomefailed", "Next"} {
		if !slices.Contains(stops, want) {
			t.Errorf("the keys do not lead to %q, but to %q", want, stops)
		}
	}
	if len(stops) == 0 || stops[0] != "Skip to the content" {
		t.Errorf("the stops are %q", stops)
	}

	all, one := "document.querySelector('#matching')?.value === '130'", "document.querySelector('#matching')?.value === '1'"
	p.focus(".skip")
	p.press("\r")
	p.comes("the way past the head leads to the content", "document.activeElement.id === 'main'")
	p.focus("#q")
	p.press(w.amazon.skills()[3][30:])
	p.comes("what is typed is found", one)
	if !tell[bool](p, "document.activeElement.id === 'q' && location.search.startsWith('?q=')") {
		t.Error("the focus has gone, or the address does not say what is shown")
	}
	p.press(strings.Repeat("\b", 30))
	p.comes("all is shown again", all)
	p.focus(`input[value="failed"]`)
	p.press(" ")
	p.comes("the one that failed", one)
	p.press(" ")
	p.comes("all is shown again", all)
	p.focus(`a[rel="next"]`)
	p.press("\r")
	p.comes("the next rows", "document.querySelector('#first')?.value === '101' && document.activeElement.id === 'skills'")
	tell[bool](p, "history.back(); true")
	p.comes("the first again", "document.querySelector('#first')?.value === '1'")
	selected := tell[string](p, "getSelection().selectAllChildren(document.querySelector('#now')); document.querySelector('#verdict time').id = 'stays'; String(getSelection())")
	p.comes("a refresh", "document.querySelector('#stays') === null")
	if got := tell[string](p, "String(getSelection())"); got != selected || selected == "" {
		t.Errorf("%q was selected, and %q is after a refresh", selected, got)
	}
	p.focus("#pause")
	p.press(" ")
	p.comes("it stands still", "document.querySelector('#pause').getAttribute('aria-pressed') === 'true'")
	p.quiet()
	d.stop()
}

// TestNobodyElseReadsThePage tries in a browser what a page of somebody else can:
// to ask, to frame, and to come by a name that points here; and what a label can.
func TestNobodyElseReadsThePage(t *testing.T) {
	w := newWorld(t, 2)
	w.write("skills.txt", w.amazon.skills()[0]+` <img src=x onerror="window.taken=1"><script>window.taken=1</script>`+"\n")
	d, p := w.facing()
	p.open(t, "/")
	p.comes("the label is shown as it is", "document.querySelector('.label')?.textContent.includes('<img')")
	if tell[bool](p, "'taken' in window") {
		t.Error("a label was obeyed")
	}
	p.quiet()
	got := tell[string](p, `(() => {
		const s = document.createElement("script"); s.textContent = "window.taken = 1"; document.body.append(s);
		const e = document.createElement("div"); e.setAttribute("style", "color: red"); document.body.append(e);
		return ("taken" in window) + " " + getComputedStyle(e).color;
	})()`)
	if strings.Contains(got, "true") || strings.Contains(got, "rgb(255, 0, 0)") {
		t.Errorf("the policy lets scripts or styles in: %s", got)
	}

	p.do(chromedp.Navigate(strings.Replace(p.base, "127.0.0.1", "evil.example", 1) + "/"))
	if text := tell[string](p, "document.body.textContent"); !strings.Contains(text, "http.allowed_hosts") || strings.Contains(text, "amzn1") {
		t.Errorf("under a foreign name it says %q", text)
	}
	foreign := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, `<iframe src=%q></iframe>`, p.base)
	}))
	t.Cleanup(foreign.Close)
	p.do(chromedp.Navigate(foreign.URL))
	read := tell[string](p, fmt.Sprintf(`Promise.all(["cors", "no-cors"].map((mode) => fetch(%q, {mode}).then((r) => r.text(), () => "")))
		.then((all) => all.join("") + (document.querySelector("iframe").contentDocument?.body.textContent ?? ""))`, p.base+"/api/status"))
	if read != "" {
		t.Errorf("a page of somebody else reads %q", read)
	}
	d.stop()
}

func TestThePageIsWholeWithoutScript(t *testing.T) {
	w := newWorld(t, 60)
	d, p := w.facing()
	p.open(t, "/nothing")
	p.do(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}),
		chromedp.Navigate(p.base+"/?limit=50"), chromedp.WaitVisible("#verdict"))
	if tell[bool](p, alive) || tell[string](p, "getComputedStyle(document.querySelector('#pause')).display") != "none" {
		t.Fatal("the page's script runs, or what needs it is shown")
	}
	p.do(chromedp.Click(`a[rel="next"]`), chromedp.WaitVisible(`a[rel="prev"]`))
	if got := strings.TrimSpace(tell[string](p, "document.querySelector('#found').textContent")); got != "51–60 of 60 skills" {
		t.Errorf("the second page says %q", got)
	}
	p.do(chromedp.SendKeys("#q", w.amazon.skills()[3][20:]), chromedp.Click(`button[type="submit"]`))
	p.comes("the search is answered", "document.querySelector('#matching')?.value === '1'")
	d.stop()
}

// TestThePageStandsManySkills says how long things take; it wants no more than
// that they come to an end.
func TestThePageStandsManySkills(t *testing.T) {
	skills := size(1_000, 10_000)
	w := newWorld(t, skills)
	w.source["requests_per_second"], w.source["max_requests_per_second"] = 10_000, 10_000
	d, p := w.facing()
	took := func(what string, act func()) {
		begin := time.Now()
		act()
		t.Logf("%d skills: %s took %s", skills, what, time.Since(begin).Round(time.Millisecond))
	}
	took("to start a browser and open the page", func() { p.open(t, "/"); p.comes("it is alive", alive) })
	took("a search", func() {
		p.focus("#q")
		p.press(w.amazon.skills()[skills/2][30:])
		p.comes("one is found", "document.querySelector('#matching')?.value === '1'")
	})
	took("to open the last thousand", func() {
		p.do(chromedp.Navigate(p.base + fmt.Sprintf("/?limit=1000&offset=%d", skills-1000)))
		p.comes("the last row", fmt.Sprintf("document.querySelector('#last')?.value === '%d' && %s", skills, alive))
	})
	longest := tell[float64](p, `new Promise((done) => {
		let longest = 0, last = performance.now(), end = last + 8000;
		const tick = (now) => { longest = Math.max(longest, now - last); last = now; now < end ? requestAnimationFrame(tick) : done(longest); };
		requestAnimationFrame(tick);
	})`)
	t.Logf("%d skills: a thousand rows that refresh themselves hold a frame up for %.0f ms at most", skills, longest)
	p.quiet()
	d.stop()
}
