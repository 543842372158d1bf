package main

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/notify"
	"github.com/credsync/credsync/internal/syncer"
)

const (
	maxTold     = 1000             // results that are told of in one notice
	webhookTime = 10 * time.Second // that a command waits for at its end
	noticeTime  = 5 * time.Second  // that all receivers have when the process is to stop
)

// A bulletin tells the receivers that the configuration names how runs went.
type bulletin struct {
	instance string
	webhook  *receiver            // nil = none
	hooks    map[string]*receiver // by job
}

// A receiver is told in a goroutine of its own.
type receiver struct {
	*notify.Outbox
	config any           // what it was opened with
	limit  time.Duration // how long it is waited for at the end
}

// bulletin opens the receivers, but for those that before, unless it is nil, has
// open under the same settings. Each has to be closed once.
func (s *setup) bulletin(before *bulletin) *bulletin {
	if before == nil {
		before = &bulletin{}
	}
	b := &bulletin{instance: s.cfg.Instance, hooks: make(map[string]*receiver)}
	if c := s.cfg.Notify.Webhook; c != nil {
		b.webhook = before.webhook.same(*c)
		if b.webhook == nil {
			b.webhook = &receiver{notify.NewOutbox(notify.NewWebhook(*c, nil), s.log.With(zap.String("receiver", "webhook"))), *c, webhookTime}
		}
	}
	for name, job := range s.cfg.Jobs {
		c := job.Hook
		if c == nil {
			continue
		}
		b.hooks[name] = before.hooks[name].same(*c)
		if b.hooks[name] == nil {
			b.hooks[name] = &receiver{notify.NewOutbox(notify.NewCommand(*c), s.log.With(zap.String("receiver", c.Command[0]))), *c, c.Limit()}
		}
	}
	return b
}

// same returns r, which may be nil, if it was opened with config, or nil.
func (r *receiver) same(config any) *receiver {
	if r == nil || !reflect.DeepEqual(r.config, config) {
		return nil
	}
	return r
}

// receivers returns those that b has.
func (b *bulletin) receivers() []*receiver {
	all := slices.Collect(maps.Values(b.hooks))
	if b.webhook != nil {
		all = append(all, b.webhook)
	}
	return all
}

// close waits for what is under way, each receiver as long as it may take, but
// only moments where ctx has ended.
func (b *bulletin) close(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range b.receivers() {
		wg.Go(func() { r.close(ctx) })
	}
	wg.Wait()
}

func (r *receiver) close(ctx context.Context) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(noticeTime, cancel)
	})
	defer stop()
	r.Close(late)
}

// A notice is a reporter that keeps of a pass what is worth telling.
type notice struct {
	*bulletin
	results []syncer.Result
	leftOut int
}

func (n *notice) Start(string, int) {}

func (n *notice) Result(r syncer.Result) {
	switch {
	case r.Outcome == syncer.Unchanged:
	case len(n.results) == maxTold:
		n.leftOut++
	default:
		n.results = append(n.results, r)
	}
}

// Finish tells the receivers of the pass. It does not wait for them.
func (n *notice) Finish(s syncer.Summary, _ map[string]int) error {
	e, err := n.event(s)
	n.results, n.leftOut = nil, 0
	if err != nil {
		return err
	}
	if n.webhook != nil {
		n.webhook.Put(e)
	}
	if hook := n.hooks[s.Job]; hook != nil {
		hook.Put(e)
	}
	return nil
}

func (n *notice) event(s syncer.Summary) (notify.Event, error) {
	e := notify.Event{ID: s.Run, Instance: n.instance, Job: s.Job, Time: s.Started.Add(s.Took), Occasions: occasions(s)}
	var err error
	e.Data, err = json.Marshal(struct {
		syncer.Digest
		Trigger syncer.Trigger  `json:"trigger"`
		Results []syncer.Result `json:"results"`
		LeftOut int             `json:"left_out"` // further results that are not unchanged
	}{s.Digest(), s.Trigger, append([]syncer.Result{}, n.results...), n.leftOut})
	return e, err
}

// occasions says what makes s worth telling of.
func occasions(s syncer.Summary) (on []notify.Occasion) {
	if s.Changes() > 0 {
		on = append(on, notify.Changed)
	}
	if s.Counts[syncer.Refused] > 0 || s.Brake != "" {
		on = append(on, notify.Refused)
	}
	if s.Counts[syncer.Failed]+s.Counts[syncer.Skipped] > 0 || s.Err != nil {
		on = append(on, notify.Failed)
	}
	return on
}
