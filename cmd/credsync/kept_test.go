package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
)

func TestWhatIsTheSameStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2)
		text := fmt.Sprintf(`instance: one
state_dir: state
audit: {file: audit.jsonl}
sources:
  amazon: %s
  second: %s
sinks:
  disk: {file: {dir: out, name: "{skill_id}"}, fields: {id: "{client_id}", secret: "{client_secret}"}}
  vault: {vault_kv: {address: "http://127.0.0.1:1", path: "a/{skill_id}", auth: {token: {file: client-secret}}}}
  vault2: {vault_kv: {address: "http://127.0.0.1:1", path: "b/{skill_id}", auth: {token: {file: client-secret}}}}
notify: {webhook: {url: "http://127.0.0.1:1/one"}}
otlp_endpoint: http://127.0.0.1:1
jobs:
  a: {schedule: "@daily", hook: {command: [/bin/sh]}, source: amazon, sinks: [disk], %s}
`, h.source(1), h.source(2), h.list())
		h.write("credsync.yaml", text)
		h.start(0)
		first := h.service.current
		h.hangup(strings.NewReplacer("@daily", "@hourly", "requests_per_second: 2", "requests_per_second: 1.5", `"b/{skill_id}"`, `"c/{skill_id}"`, "1:1/one", "1:1/two", `id: "{client_id}"`, `n: "1", id: "{client_id}"`).Replace(text))
		second := h.service.current
		if first == second {
			t.Fatal("nothing was taken up")
		}
		for what, same := range map[string]bool{
			"source amazon": first.sources["amazon"] == second.sources["amazon"],
			"sink disk":     first.targets["disk"].Sink == second.targets["disk"].Sink,
			"sink vault":    first.targets["vault"].Sink == second.targets["vault"].Sink,
			"traces":        first.spans == second.spans && first.spans != nil,
			"hook":          first.bulletin.hooks["a"] == second.bulletin.hooks["a"],
			"keeper vault":  any(h.service.keepers["vault"].sink) == second.targets["vault"].Sink,
		} {
			if !same {
				t.Errorf("%s is not what it was", what)
			}
		}
		for what, same := range map[string]bool{
			"source second": first.sources["second"] == second.sources["second"],
			"sink vault2":   first.targets["vault2"].Sink == second.targets["vault2"].Sink,
			"webhook":       first.bulletin.webhook == second.bulletin.webhook,
			"keeper vault2": any(h.service.keepers["vault2"].sink) == first.targets["vault2"].Sink,
		} {
			if same {
				t.Errorf("%s has the settings of before", what)
			}
		}
		if n := len(second.targets["disk"].Fields); n != 3 {
			t.Errorf("sink disk has %d fields, want those of now, 3", n)
		}
		h.hangup(strings.Replace(text, "instance: one", "instance: two", 1))
		if third := h.service.current; third.targets["vault"].Sink == second.targets["vault"].Sink || third.spans == second.spans || third.engine.Memory != first.engine.Memory {
			t.Error("another instance has its sinks of before, or another memory")
		}
		h.stop()
	})
}

// A refresh token that Amazon replaced has no other place than the process here.
func TestAReplacedRefreshTokenOutlivesItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2)
		h.amazon.SetTokens(time.Minute, emulator.RefreshReplace)
		text := fmt.Sprintf(`audit: {file: audit.jsonl}
sources: {amazon: %s}
sinks: {disk: {file: {dir: out, name: "{skill_id}"}}}
jobs: {a: {schedule: "@hourly", time_zone: UTC, on_start: true, source: amazon, sinks: [disk], %s}}
`, h.source(1), h.list())
		h.write("credsync.yaml", text)
		h.start(0)
		time.Sleep(time.Minute)
		h.hangup(strings.ReplaceAll(text, "requests_per_second: 1,", "requests_per_second: 2,"))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if n := h.logs.FilterMessage("run finished").Len(); n != 4 {
			t.Errorf("%d runs ended well, want 4", n)
		}
		h.stop()
	})
}
