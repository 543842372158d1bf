package syncer

import (
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

func BenchmarkDecide(b *testing.B) {
	owner := sink.Owner{Instance: "prod", Skill: skill(1)}
	was, is := credential.FingerprintKey{}.Sum("", "", "", credential.NewSecret("was")), credential.FingerprintKey{}.Sum("", "", "", credential.NewSecret("is"))
	for name, have := range map[Outcome]sink.State{
		Created:   {},
		Unchanged: {Exists: true, Owner: owner, Fingerprint: is},
		Updated:   {Exists: true, Owner: owner, Fingerprint: was},
		Repaired:  {Exists: true, Owner: owner},
	} {
		b.Run(string(name), func(b *testing.B) {
			for b.Loop() {
				if d := decide(have, owner, is); d.outcome != name {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkPass is what the engine itself takes for a thousand skills.
func BenchmarkPass(b *testing.B) {
	h := newHall(b, 1000)
	h.job.Workers = 16
	h.engine.Sync(b.Context(), h.job, Options{}, quiet{})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			h.engine.Sync(b.Context(), h.job, Options{}, quiet{})
		}
		b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "skills/s")
	})
}
