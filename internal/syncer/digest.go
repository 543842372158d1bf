package syncer

import "time"

// A Digest is a [Summary] as programs read it. Its fields are a contract: add,
// never rename. It has no nil map or slice, and all outcomes are counted.
type Digest struct {
	Run         string          `json:"run"`
	Job         string          `json:"job"`
	Shard       string          `json:"shard,omitempty"`
	Plan        string          `json:"plan"`
	Started     string          `json:"started"` // RFC 3339, UTC
	TookSeconds float64         `json:"took_seconds"`
	Skills      int             `json:"skills"`
	Outcomes    map[Outcome]int `json:"outcomes"`
	Orphans     []Orphan        `json:"orphans"`
	Brake       string          `json:"brake,omitempty"`
	Error       string          `json:"error,omitempty"`
}

// Digest returns s as programs read it.
func (s Summary) Digest() Digest {
	d := Digest{
		Run: s.Run, Job: s.Job, Shard: s.Shard.String(), Plan: s.Plan, Started: s.Started.UTC().Format(time.RFC3339),
		TookSeconds: s.Took.Round(time.Millisecond).Seconds(), Skills: s.Skills, Outcomes: make(map[Outcome]int),
		Orphans: s.Orphans, Brake: s.Brake,
	}
	for _, o := range Outcomes {
		d.Outcomes[o] = s.Counts[o]
	}
	if d.Orphans == nil {
		d.Orphans = []Orphan{}
	}
	if s.Err != nil {
		d.Error = s.Err.Error()
	}
	return d
}
