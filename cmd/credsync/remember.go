package main

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/source/smapi"
)

// The files of state_dir, but for refresh tokens, which smapi names. Their
// formats are final.
const (
	auditHeadFile     = "audit-head.json"     // {"head": "SEQ:HASH"}
	acceptedPlansFile = "accepted-plans.json" // {"plans": {ID: when it was used}}
	lastSlotsFile     = "last-slots.json"     // {"slots": {JOB: its latest slot}}
)

// paceFile is of one source: {"requests_per_second": what it found, "at": when}.
func paceFile(source string) string { return "pace-" + source + ".json" }

// planMemory is how long a used plan ID is remembered.
const planMemory = 30 * 24 * time.Hour

type auditHead struct {
	Head string `json:"head"`
}

type acceptedPlans struct {
	Plans map[string]time.Time `json:"plans"`
}

type lastSlots struct {
	Slots map[string]time.Time `json:"slots"`
}

// remember saves v. What can't be remembered changes no outcome, so it is only
// said.
func (s *setup) remember(name string, v any) {
	if s.state == nil {
		return
	}
	if err := s.state.Save(name, v); err != nil {
		s.log.Warn("not remembered", zap.Error(err))
	}
}

// recall loads what remember saved into v, or leaves it as it is.
func (s *setup) recall(name string, v any) {
	if s.state == nil {
		return
	}
	if _, err := s.state.Load(name, v); err != nil {
		s.log.Warn("not recalled", zap.Error(err))
	}
}

// keepPaces remembers what the sources learned of what Amazon allows.
func (s *setup) keepPaces() {
	for name, src := range s.sources {
		if p := src.LearnedPace(); p != (smapi.LearnedPace{}) {
			s.remember(paceFile(name), p)
		}
	}
}

// keepHead remembers the head of a trail that is kept in a file.
func (s *setup) keepHead(trail *audit.Trail) {
	filed := slices.ContainsFunc(s.cfg.Audit, func(a config.Audit) bool { return a.File != "" })
	if head := trail.Head(); filed && head != (audit.Head{}) {
		s.remember(auditHeadFile, auditHead{head.String()})
	}
}

// knownHead returns the head that was kept, or none.
func (s *setup) knownHead() audit.Head {
	var kept auditHead
	s.recall(auditHeadFile, &kept)
	head, err := audit.ParseHead(kept.Head)
	if err != nil { // none was kept, or nothing that helps
		return audit.Head{}
	}
	return head
}

// unusedPlans returns the plan IDs that no earlier run has used.
func (s *setup) unusedPlans(ids []string) (unused []string) {
	var used acceptedPlans
	if len(ids) > 0 {
		s.recall(acceptedPlansFile, &used)
	}
	for _, id := range ids {
		if when, ok := used.Plans[id]; ok {
			s.log.Warn("this plan was accepted before, which counts once; take it out of "+acceptedPlansFile+" in state_dir to use it again",
				zap.String("plan", id), zap.Time("used", when))
			continue
		}
		unused = append(unused, id)
	}
	return unused
}

// usePlan notes that a plan was used, and forgets those of long ago. The empty
// plan is none.
func (s *setup) usePlan(id string) {
	if id == "" {
		return
	}
	var used acceptedPlans
	s.recall(acceptedPlansFile, &used)
	maps.DeleteFunc(used.Plans, func(_ string, when time.Time) bool { return time.Since(when) > planMemory })
	if used.Plans == nil {
		used.Plans = make(map[string]time.Time)
	}
	used.Plans[id] = time.Now().UTC()
	s.remember(acceptedPlansFile, used)
}
