package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

var screenshots = flag.Bool("screenshots", false, "write those of docs/status-page.md anew")

// TestThePageShowsWhatIsSo looks at the status page in a browser, before, during
// and after a run that fails, and holds it against /api/status and the log.
func TestThePageShowsWhatIsSo(t *testing.T) {
	w := newWorld(t, 12)
	v := w.withVault()
	w.withFiles("{skill_id}.json", nil)
	gate := newGate(t, v.url, func(r *http.Request) string { return r.URL.Path })
	w.vaultSink()["address"] = gate.URL
	w.job["schedule"], w.job["on_start"], w.job["max_changes"] = "* * * * *", true, "100%"
	w.more["http"] = settings{"listen": "127.0.0.1:0"}
	d := start(w.T, w.command(w.Context(), "--log-format", "json", "run"))
	p := &page{T: t, base: "http://" + d.says(`"msg":"http: serving","address":"([^"]+)"`)}
	d.says(`"msg":"run finished".*"created":24`)
	p.open(t, "/?limit=1000")
	p.until("all was written", func(s shown) bool { return s.Headline == "Everything is where it belongs" && s.Tally["failed"] == 0 })
	p.same()
	p.accessible("ok")

	// During: two calls to Vault hang, and the run with them.
	release := make(chan struct{})
	broken := map[string]bool{w.amazon.skills()[3]: true, w.amazon.skills()[7]: true}
	gate.set(func(name string, through func()) bool {
		for skill := range broken {
			if strings.Contains(name, skill) {
				<-release
				return false
			}
		}
		through()
		return true
	})
	p.until("a run stands at 22 of 24", func(s shown) bool { return s.Done == "22" && s.Total == "24" })
	p.same()
	p.accessible("running")

	// After: they have failed, in Vault alone, and the page says what to do.
	close(release)
	p.until("two have failed", func(s shown) bool { return s.Tally["failed"] == 2 })
	d.says(`"msg":"run finished short".*"unchanged":22.*"failed":2`)
	p.same()
	s := p.shown()
	for _, want := range []string{"unavailable", "2 skills", "in sink vault", "→"} {
		if !strings.Contains(s.Todos, want) {
			t.Errorf("what to do does not say %q: %s", want, s.Todos)
		}
	}
	for skill, cells := range s.Rows {
		if got := cells["vault"].Outcome == "failed"; got != broken[skill] {
			t.Errorf("%s in Vault: %+v", skill, cells["vault"])
		}
	}
	p.accessible("failing")

	gate.set(nil)
	p.until("all is well again", func(s shown) bool { return s.Tally["failed"] == 0 })
	p.same()
	p.quiet()
	d.stop()
	p.until("it says that nobody answers", func(s shown) bool { return s.Lost })
	p.accessible("lost")
}

// A page is a browser that looks at the status page.
type page struct {
	*testing.T
	base string
	tab  context.Context

	mu       sync.Mutex
	troubles []string // that the browser has told of
}

// What is shown, as a person reads it.
type shown struct {
	Headline, Todos, Done, Total string
	Tally                        map[string]int
	Rows                         map[string]map[string]tile
	Lost                         bool
}

type tile struct{ Outcome, Error, Version string }

const readPage = `(() => {
  const text = e => e ? e.textContent.replace(/\s+/g, ' ').trim() : '';
  const one = s => text(document.querySelector(s));
  const rows = {}, tally = {};
  for (const tr of document.querySelectorAll('#rows tbody tr')) {
    rows[tr.dataset.key] = {};
    for (const td of tr.querySelectorAll('td')) rows[tr.dataset.key][td.dataset.sink] = {
      Outcome: text(td.querySelector('.what b')), Error: text(td.querySelector('.error')), Version: text(td.querySelector('.ver'))};
  }
  for (const a of document.querySelectorAll('#verdict .tally a')) tally[a.className.replace('is-', '')] = +a.querySelector('data').value;
  const value = s => { const e = document.querySelector(s); return e ? e.value : ''; };
  return {Headline: one('#headline'), Todos: one('#todos'), Done: value('.progress .done'), Total: value('.progress .total'),
    Tally: tally, Rows: rows, Lost: !document.querySelector('#lost').hidden};
})()`

// open starts a browser at path.
func (p *page) open(t *testing.T, path string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"), chromedp.UserDataDir(t.TempDir()))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	tab, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	p.tab = tab
	err := chromedp.Listen(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.trouble(e.ExceptionDetails.Text)
		case *log.EventEntryAdded: // a broken policy is one
			p.trouble(e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.do(command(log.Enable, cdp.Empty{}), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(p.base+path))
}

func (p *page) trouble(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, text)
}

// quiet wants the browser to have had nothing to complain of.
func (p *page) quiet() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.troubles) > 0 {
		p.Errorf("the browser complains: %q", p.troubles)
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// browsed returns what an action gives.
func browsed[T any](p *page, action chromedp.Action[T]) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.tab, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.Fatal(err)
	}
	return v
}

// command is one of the browser's own.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, c, params)
		return v, err
	}
}

func (p *page) shown() shown {
	p.Helper()
	return browsed(p, chromedp.Evaluate[shown](readPage))
}

// until waits for the page to come to show something, by itself.
func (p *page) until(what string, ok func(shown) bool) {
	p.Helper()
	until(p.T, 2*time.Minute, what, func() bool { return ok(p.shown()) })
}

// same wants the page to show what /api/status says, as soon as it has caught up.
func (p *page) same() {
	p.Helper()
	var diff string
	for range 100 {
		want, again := p.told(), p.told()
		if diff = cmp.Diff(want, p.rows()); diff == "" && cmp.Equal(want, again) {
			return
		}
	}
	p.Errorf("the page shows something else (-told +shown):\n%s", diff)
}

// rows is the matrix with its sums.
func (p *page) rows() map[string]any {
	p.Helper()
	s := p.shown()
	all := map[string]any{"": s.Tally}
	for skill, cells := range s.Rows {
		all[skill] = cells
	}
	return all
}

// told is the same from /api/status.
func (p *page) told() map[string]any {
	p.Helper()
	resp, err := http.Get(p.base + "/api/status?limit=1000")
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	var report struct {
		Skills struct {
			Outcomes map[string]int
			Items    []struct {
				Skill string
				Cells []struct {
					Sink string
					tile
				}
			}
		}
	}
	b, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(b, &report)
	}
	if err != nil {
		p.Fatal(err)
	}
	maps.DeleteFunc(report.Skills.Outcomes, func(_ string, n int) bool { return n == 0 })
	all := map[string]any{"": report.Skills.Outcomes}
	for _, item := range report.Skills.Items {
		cells := make(map[string]tile)
		for _, c := range item.Cells {
			cells[c.Sink] = c.tile
		}
		all[item.Skill] = cells
	}
	return all
}

const runAxe = `axe.run(document).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; ')))`

// accessible lets axe-core judge the page, wide and on a phone, light and dark.
func (p *page) accessible(state string) {
	p.Helper()
	axe, err := os.ReadFile("node/node_modules/axe-core/axe.min.js")
	if err != nil {
		missing(p.T, "axe-core", "run ./e2e/run, which gets it")
	}
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			media := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
			p.do(chromedp.EmulateViewport(width, 900), command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: media}),
				chromedp.Evaluate[chromedp.Void](string(axe)+";0"))
			found := browsed(p, chromedp.Evaluate[[]string](runAxe, chromedp.EvalAwaitPromise))
			for _, violation := range found {
				p.Errorf("%s, %d wide, %s: %v", state, width, scheme, violation)
			}
			if *screenshots {
				picture := browsed(p, chromedp.CaptureScreenshot())
				if err := os.WriteFile(filepath.Join("../docs/img", fmt.Sprintf("status-%s-%d-%s.png", state, width, scheme)), picture, 0o644); err != nil {
					p.Fatal(err)
				}
			}
		}
	}
	p.do(chromedp.EmulateViewport(1280, 900))
}

// chromium returns a browser to test with.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "Chromium", "apt-get install chromium; ./e2e/run does so, as root on Debian")
	return ""
}
