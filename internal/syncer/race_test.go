package syncer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/scale"
	"github.com/credsync/credsync/internal/sink"
)

// TestTwoDaemonsAndAForeignHandRace lets them loose on the same sinks, call by
// call, in an order that the seed draws:
//
//	CREDSYNC_TEST_FULL=1 go test ./internal/syncer -run ForeignHandRace -v
func TestTwoDaemonsAndAForeignHandRace(t *testing.T) {
	for what, instances := range map[string][]string{"one instance": {"prod", "prod"}, "two instances": {"prod", "staging"}} {
		t.Run(what, func(t *testing.T) {
			steps, commits := 0, map[audit.Action]int{}
			rapid.Check(t, func(t *rapid.T) {
				rapid.SyncTest(t, func(t *rapid.T) {
					a := newArena(t, instances...)
					a.commits = commits
					t.Cleanup(a.abandon)
					if rapid.Bool().Draw(t, "filled") {
						a.run(a.daemons[0])
						a.learn()
					}
					t.Repeat(a.actions())
					a.quiet()
					a.clean()
					steps += a.steps
				})
			})
			t.Logf("seed %d: %d steps, writes %v", scale.Seed(), steps, commits)
		})
	}
}

// actions is what may happen next.
func (a *arena) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"calls get through": func(t *rapid.T) {
			for range rapid.IntRange(1, 12).Draw(t, "calls") {
				waiting := a.calls()
				if len(waiting) == 0 {
					t.Skip("nobody asks")
				}
				a.through(rapid.SampledFrom(waiting).Draw(t, "call"))
			}
		},
		"an answer is lost": func(t *rapid.T) {
			puts := slices.DeleteFunc(a.calls(), func(c string) bool { return !strings.Contains(c, ": Put ") })
			if len(puts) == 0 {
				t.Skip("nobody writes")
			}
			label := rapid.SampledFrom(puts).Draw(t, "call")
			a.cut[label] = true
			a.through(label)
			delete(a.cut, label)
		},
		"a pass begins": func(t *rapid.T) {
			d := rapid.SampledFrom(a.daemons).Draw(t, "daemon")
			if d.stop != nil {
				t.Skip("it makes one")
			}
			a.step()
			a.begin(d)
		},
		"a pass is stopped": func(t *rapid.T) {
			d := rapid.SampledFrom(a.daemons).Draw(t, "daemon")
			if d.stop == nil || rapid.IntRange(0, 3).Draw(t, "spared") > 0 {
				t.Skip("not now")
			}
			a.step()
			d.stop()
			a.settle()
		},
		"time passes": func(t *rapid.T) {
			a.step()
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Second, 2 * maxAge, 2 * listLag}).Draw(t, "time"))
			a.settle()
		},
		"Amazon rotates": func(t *rapid.T) {
			a.step()
			a.rotate(rapid.IntRange(0, contested-1).Draw(t, "skill"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "pair"))
		},
		"a hand comes": a.hand,
		"":             func(*rapid.T) { a.sound() },
	}
}

func (a *arena) step() { a.steps++ }

// hand does one thing at one name as somebody else would.
func (a *arena) hand(t *rapid.T) {
	n := rapid.IntRange(0, contested-1).Draw(t, "skill")
	s := a.sinks[rapid.SampledFrom([]string{"one", "two"}).Draw(t, "sink")]
	another := sink.Owner{Instance: "another", Skill: skill(n)}
	deeds := map[string]func(){
		"alters":              func() { s.Tamper(name(n), a.value()) },
		"writes the same":     func() { s.Tamper(name(n), a.says(skill(n))) },
		"deletes":             func() { s.SoftDelete(name(n)) },
		"undeletes":           func() { s.Undelete(name(n)) },
		"removes":             func() { s.Remove(name(n)) },
		"puts an unmarked":    func() { s.Foreign(name(n), a.value(), sink.Owner{}) },
		"puts another's":      func() { s.Foreign(name(n), a.value(), another) },
		"wipes the mark":      func() { s.Claim(name(n), sink.Owner{}) },
		"adopts":              func() { s.Claim(name(n), another) },
		"adopts for us":       func() { s.Claim(name(n), sink.Owner{Instance: "prod", Skill: skill(n)}) },
		"copies a mark":       func() { s.CopyMark(name((n+1)%contested), name(n)) },
		"remakes with a mark": func() { s.Remake(name(n), a.value()) },
	}
	a.step()
	deeds[rapid.SampledFrom(slices.Sorted(maps.Keys(deeds))).Draw(t, "deed")]()
}

// value returns a value that nobody ever had.
func (a *arena) value() string {
	a.byHand++
	return fmt.Sprintf("by hand %d", a.byHand)
}
