package main

import (
	"context"
	"encoding/json"
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
	webhook  *notify.Outbox            // nil = none
	hooks    map[string]*notify.Outbox // by job
	limits   map[string]time.Duration  // of hooks, by job
}

// bulletin opens the receivers. It has to be closed.
func (s *setup) bulletin() *bulletin {
	b := &bulletin{instance: s.cfg.Instance, hooks: make(map[string]*notify.Outbox), limits: make(map[string]time.Duration)}
	if c := s.cfg.Notify.Webhook; c != nil {
		b.webhook = notify.NewOutbox(notify.NewWebhook(*c, nil), s.log.With(zap.String("receiver", "webhook")))
	}
	for name, job := range s.cfg.Jobs {
		if c := job.Hook; c != nil {
			b.hooks[name] = notify.NewOutbox(notify.NewCommand(*c), s.log.With(zap.String("receiver", c.Command[0])))
			b.limits[name] = c.Limit()
		}
	}
	return b
}

// close waits for what is under way, each receiver as long as it may take, but
// only moments where ctx has ended.
func (b *bulletin) close(ctx context.Context) {
	var wg sync.WaitGroup
	end := func(o *notify.Outbox, limit time.Duration) {
		if ctx.Err() != nil {
			limit = noticeTime
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		o.Close(late)
	}
	if b.webhook != nil {
		wg.Go(func() { end(b.webhook, webhookTime) })
	}
	for job, hook := range b.hooks {
		wg.Go(func() { end(hook, b.limits[job]) })
	}
	wg.Wait()
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
