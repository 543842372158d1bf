package smapi

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/scale"
)

// One refresh an hour, whatever the concurrency: LWA counts. A token is good for
// an hour and renewed a minute early.
func TestOneTokenAnHour(t *testing.T) {
	for _, workers := range []int{1, 8, 64, 256} {
		t.Run(fmt.Sprint(workers, " at once"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := course{latency: 200 * time.Millisecond, seed: scale.Seed()}
				a := emulator.New(emulator.Options{Seed: c.seed, Skills: workers})
				s := c.open(t, a, 1)
				for end := time.Now().Add(3*time.Hour - 5*time.Minute); time.Now().Before(end); time.Sleep(time.Minute) {
					var wg sync.WaitGroup
					for _, id := range a.Skills() {
						wg.Go(func() {
							if _, err := s.Fetch(t.Context(), id); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
				}
				if got, want := a.Requests().Count(emulator.OpToken), 3; got != want {
					t.Errorf("got %d refreshes in three hours, want %d", got, want)
				}
			})
		})
	}
}
