package main

import (
	"maps"
	"time"

	"go.uber.org/zap"
)

// The files of state_dir, but for refresh tokens, which smapi names. Their
// formats are final.
const (
	auditHeadFile     = "audit-head.json"     // {"head": "SEQ:HASH"}
	acceptedPlansFile = "accepted-plans.json" // {"plans": {ID: when it was used}}
	lastSlotsFile     = "last-slots.json"     // {"slots": {JOB: its latest slot}}
)

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

// unusedPlans returns the plan IDs that no earlier run has used.
func (s *setup) unusedPlans(ids []string) (unused []string) {
	var used acceptedPlans
	if len(ids) > 0 {
		s.recall(acceptedPlansFile, &used)
	}
	for _, id := range ids {
		if when, ok := used.Plans[id]; ok {
			s.log.Warn("plan was accepted before and counts once", zap.String("plan", id), zap.Time("used", when))
			continue
		}
		unused = append(unused, id)
	}
	return unused
}

// usePlan notes that a plan was accepted, and forgets those of long ago.
func (s *setup) usePlan(id string) {
	var used acceptedPlans
	s.recall(acceptedPlansFile, &used)
	maps.DeleteFunc(used.Plans, func(_ string, when time.Time) bool { return time.Since(when) > planMemory })
	if used.Plans == nil {
		used.Plans = make(map[string]time.Time)
	}
	used.Plans[id] = time.Now().UTC()
	s.remember(acceptedPlansFile, used)
}
