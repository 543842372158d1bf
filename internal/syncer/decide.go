package syncer

import (
	"fmt"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// A decision is what is to be done at one name.
type decision struct {
	outcome Outcome // Created, Updated, Repaired: a write; Unchanged; Refused
	why     string  // of a refusal
}

func (d decision) writes() bool {
	return d.outcome == Created || d.outcome == Updated || d.outcome == Repaired
}

// decide compares what stands at a name with what should stand there. It reads
// no clock and no memory: the same state always gives the same decision.
func decide(have sink.State, want sink.Owner, fp credential.Fingerprint) decision {
	switch {
	case have.Owner.IsZero() && !have.Exists:
		return decision{outcome: Created}
	case have.Owner.IsZero() && have.Guard != "":
		return refuse(have.Guard)
	case have.Owner.IsZero():
		return refuse("a secret stands there that credsync did not write; if it should be kept in sync from now on, run credsync adopt")
	case have.Owner.Instance != want.Instance:
		return refuse(fmt.Sprintf("it belongs to instance %q; give each instance names of its own, or run credsync adopt", have.Owner.Instance))
	case have.Owner.Skill != want.Skill:
		return refuse(fmt.Sprintf("it belongs to skill %q; two skills must not share a name", have.Owner.Skill))
	case !have.Exists:
		return decision{outcome: Created}
	case !have.Deleted && have.Fingerprint == fp:
		return decision{outcome: Unchanged}
	case have.Guard != "":
		return refuse(have.Guard)
	case have.Deleted || have.Fingerprint == "":
		return decision{outcome: Repaired}
	default:
		return decision{outcome: Updated}
	}
}

func refuse(why string) decision { return decision{outcome: Refused, why: why} }
