// Package notify tells others how a run went: a [Webhook] that is posted to, a
// [Command] that is run. An [Outbox] hands events on to one of them, so that
// nobody waits for a receiver that fails or hangs.
package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/fault"
)

// An Occasion is what makes a run worth telling of. A run can have several.
type Occasion string

// The occasions.
const (
	Changed Occasion = "changed" // something was created, updated or repaired
	Refused Occasion = "refused" // something was refused, by the brake or as somebody else's
	Failed  Occasion = "failed"  // something failed or was skipped, or the run could not be made
)

var occasions = []Occasion{Changed, Refused, Failed}

// An Event is one run that has ended. It holds names and outcomes, no value and
// no token.
type Event struct {
	ID        string // of the run: a receiver knows a repetition by it
	Instance  string
	Job       string
	Time      time.Time // the end of the run
	Occasions []Occasion
	Data      json.RawMessage // the run, as sync -o json prints it, less what is unchanged
}

// on reports whether e has one of the occasions that are asked for.
func (e Event) on(wanted []Occasion) bool {
	return slices.ContainsFunc(e.Occasions, func(o Occasion) bool { return slices.Contains(wanted, o) })
}

// A Receiver is told of events. It is not safe for concurrent use.
type Receiver interface {
	// Wants reports whether e is to be delivered.
	Wants(e Event) bool
	// Deliver tells of e, and tries again where that can help, until ctx ends.
	// An error is final. It holds nothing of what the receiver answered.
	Deliver(ctx context.Context, e Event) error
}

func occasionFaults(on []Occasion) (l fault.List) {
	for _, o := range on {
		if !slices.Contains(occasions, o) {
			l.Add("", fmt.Sprintf("%.20q is no occasion", o), "use changed, refused and failed")
		}
	}
	return l
}
