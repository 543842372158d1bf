package syncer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// An Adoption is what became of one name that the operator wants taken over.
type Adoption struct {
	Skill   credential.SkillID `json:"skill"`
	Sink    string             `json:"sink"`
	Name    string             `json:"name"`
	Outcome AdoptOutcome       `json:"outcome"`
	Error   string             `json:"error"`
}

// An AdoptOutcome is what became of an adoption.
type AdoptOutcome string

// The outcomes of adoptions.
const (
	Adopted      AdoptOutcome = "adopted"          // ours from now on; the next sync sets the value
	AlreadyOurs  AdoptOutcome = "already_ours"     // nothing to do
	Absent       AdoptOutcome = "absent"           // nothing stands there; sync will create it
	NotAdopted   AdoptOutcome = "failed"           // see Error
	WouldBeTaken AdoptOutcome = "would_be_adopted" // in a dry run
)

// Adopt sets our mark on what already stands at the names of entries in t, one
// after the other, and leaves the values alone. It takes over what bears no
// mark, and what bears that of another instance or skill: the operator names
// each skill, or all, on purpose.
func (e *Engine) Adopt(ctx context.Context, job string, t Target, entries []source.Entry, dryRun bool) []Adoption {
	run := uuid.Must(uuid.NewV7()).String()
	adoptions := make([]Adoption, 0, len(entries))
	for _, entry := range entries {
		a := Adoption{Skill: entry.Skill, Sink: t.Name}
		record := audit.Record{Event: audit.Adopt, Run: run, Job: job, Trigger: string(TriggerManual), Action: audit.AdoptSecret}
		if err := e.adopt(ctx, t, entry, &a, record, dryRun); err != nil {
			a.Outcome, a.Error = NotAdopted, err.Error()
		}
		adoptions = append(adoptions, a)
	}
	return adoptions
}

func (e *Engine) adopt(ctx context.Context, t Target, entry source.Entry, a *Adoption, record audit.Record, dryRun bool) (err error) {
	if entry.Err != nil {
		return entry.Err
	}
	adopter, ok := t.Sink.(sink.Adopter)
	if !ok {
		return errors.New("this kind of sink can't adopt")
	}
	if a.Name, err = t.Names.Render(sink.Subject{Skill: entry.Skill, Label: entry.Label, Instance: e.Instance}); err != nil {
		return err
	}
	owner := sink.Owner{Instance: e.Instance, Skill: entry.Skill}
	state, err := t.Sink.Inspect(ctx, a.Name)
	switch {
	case err != nil:
		return err
	case state.Owner == owner:
		a.Outcome = AlreadyOurs
	case !state.Exists:
		a.Outcome = Absent
	case dryRun:
		a.Outcome = WouldBeTaken
	default:
		record.Skill, record.Sink, record.Name, record.PrevVersion = string(entry.Skill), t.Name, a.Name, state.Version
		if err := e.take(ctx, adopter, a.Name, owner, state, record); err != nil {
			return err
		}
		a.Outcome = Adopted
	}
	return nil
}

// take adopts between an intent and an outcome in the audit trail.
func (e *Engine) take(ctx context.Context, s sink.Adopter, name string, owner sink.Owner, prev sink.State, record audit.Record) error {
	if err := e.Trail.Append(ctx, record); err != nil {
		return fmt.Errorf("not adopted: %w", err)
	}
	start := time.Now()
	state, err := s.Adopt(ctx, name, owner, prev)
	record.Took, record.Version, record.Outcome = time.Since(start), state.Version, string(Adopted)
	if err != nil {
		record.Outcome, record.Reason = string(Failed), string(reasonOf(err))
	}
	if auditErr := e.Trail.Append(context.WithoutCancel(ctx), record); auditErr != nil {
		err = errors.Join(err, auditErr)
	}
	return err
}
