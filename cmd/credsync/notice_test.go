package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/notify"
	"github.com/credsync/credsync/internal/syncer"
)

// The example on the page has the fields that an event has.
func TestTheExampleOfAnEventIsOne(t *testing.T) {
	page, err := os.ReadFile("../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	var example struct{ Data map[string]json.RawMessage }
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("no example")
	}
	if err := json.Unmarshal(block[1], &example); err != nil {
		t.Fatal(err)
	}
	n := &notice{bulletin: &bulletin{instance: "prod"}}
	n.Result(syncer.Result{Skill: "s", Label: "kitchen", Sink: "vault", Name: "n", Outcome: syncer.Updated})
	e, err := n.event(syncer.Summary{Run: "r", Job: "production", Started: time.Now(), Counts: map[syncer.Outcome]int{syncer.Updated: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &data); err != nil {
		t.Fatal(err)
	}
	keys := func(m map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(m)) }
	if diff := cmp.Diff(keys(data), keys(example.Data)); diff != "" {
		t.Errorf("keys (-event +example):\n%s", diff)
	}
	var ours, theirs []map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data["results"], &ours), json.Unmarshal(example.Data["results"], &theirs)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(ours[0]), keys(theirs[0])); diff != "" {
		t.Errorf("keys of a result (-event +example):\n%s", diff)
	}
}

func TestALongRunIsToldInPart(t *testing.T) {
	n := &notice{bulletin: &bulletin{}}
	for range maxTold + 5 {
		n.Result(syncer.Result{Outcome: syncer.Failed, Reason: syncer.Timeout})
	}
	n.Result(syncer.Result{Outcome: syncer.Unchanged})
	e, err := n.event(syncer.Summary{Counts: map[syncer.Outcome]int{syncer.Failed: maxTold + 5}})
	var data struct {
		Results []syncer.Result
		LeftOut int `json:"left_out"`
	}
	if err = errors.Join(err, json.Unmarshal(e.Data, &data)); err != nil {
		t.Fatal(err)
	}
	if len(data.Results) != maxTold || data.LeftOut != 5 || !slices.Equal(e.Occasions, []notify.Occasion{notify.Failed}) {
		t.Errorf("%d results, %d left out, on %v", len(data.Results), data.LeftOut, e.Occasions)
	}
}
