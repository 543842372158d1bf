package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A slow is a receiver that takes a minute for each event.
type slow struct{ told []string }

func (s *slow) Wants(e Event) bool { return e.on([]Occasion{Changed}) }

func (s *slow) Deliver(ctx context.Context, e Event) error {
	select {
	case <-time.After(time.Minute):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.told = append(s.told, e.ID)
	if e.ID == "bad" {
		return errors.New("no")
	}
	return nil
}

func put(o *Outbox, ids ...string) {
	for _, id := range ids {
		o.Put(Event{ID: id, Occasions: []Occasion{Changed}})
	}
}

func TestAnOutboxKeepsTheOrderAndNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		core, logs := observer.New(zap.InfoLevel)
		o := NewOutbox(s, zap.New(core))
		begin := time.Now()
		put(o, "1", "bad", "3")
		o.Put(Event{ID: "not wanted", Occasions: []Occasion{Failed}})
		if time.Since(begin) > 0 {
			t.Errorf("putting took %s", time.Since(begin))
		}
		o.Close(t.Context())
		put(o, "late")
		if diff := cmp.Diff([]string{"1", "bad", "3"}, s.told); diff != "" {
			t.Error(diff)
		}
		if n := logs.FilterMessage("not told of a run").Len(); n != 1 {
			t.Errorf("%d failures in the log, want 1", n)
		}
	})
}

func TestAnOutboxIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		core, logs := observer.New(zap.InfoLevel)
		o := NewOutbox(s, zap.New(core))
		put(o, "1", "2", "3")
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		begin := time.Now()
		o.Close(ctx)
		if took := time.Since(begin); took != 90*time.Second || len(s.told) != 1 {
			t.Errorf("closed after %s, told of %v", took, s.told)
		}
		if n := logs.FilterMessage("not told of a run").Len(); n != 2 {
			t.Errorf("%d failures in the log, want those of the two that were left", n)
		}
	})
}

func TestAFullOutboxDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		o := NewOutbox(s, zap.NewNop())
		put(o, "under way")
		synctest.Wait()
		for i := range maxWaiting + 5 {
			put(o, fmt.Sprint(i))
		}
		o.Close(t.Context())
		if len(s.told) != 1+maxWaiting || s.told[1] != "5" {
			t.Errorf("told of %d: %s", len(s.told), strings.Join(s.told[:3], ", "))
		}
	})
}
