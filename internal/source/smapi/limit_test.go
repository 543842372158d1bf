package smapi

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/scale"
)

// near calls an emulated Amazon without a network: half of latency is the way
// there, half the way back, which takes a fifth more or less.
type near struct {
	*emulator.Amazon
	latency time.Duration

	mu   sync.Mutex
	rand *rand.Rand
}

func (n *near) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(n.latency / 2)
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	n.ServeHTTP(w, r)
	n.mu.Lock()
	back := time.Duration((0.8 + 0.4*n.rand.Float64()) * float64(n.latency/2))
	n.mu.Unlock()
	time.Sleep(back)
	return w.Result(), nil
}

// A course is an Amazon with a limit, and how far it is.
type course struct {
	rate    float64
	burst   int
	dear    bool // a 429 carries Retry-After
	latency time.Duration
	seed    uint64
}

func (c course) String() string {
	price := "free"
	if c.dear {
		price = "dear"
	}
	return fmt.Sprintf("%g a second, burst %d, %s, %s away", c.rate, c.burst, price, c.latency)
}

// amazon returns it with as many skills as a minute allows.
func (c course) amazon() *emulator.Amazon {
	return emulator.New(emulator.Options{Seed: c.seed, Skills: int(60 * c.rate), Rate: c.rate, Burst: c.burst, RetryAfter: c.dear})
}

// open returns a source that knows nothing of the limit.
func (c course) open(t *testing.T, a *emulator.Amazon, seed uint64) *Source {
	t.Helper()
	return open(Config{
		ClientID: a.ClientID(), ClientSecret: secretFile(t, a.ClientSecret().Reveal()), RefreshToken: secretFile(t, a.RefreshToken().Reveal()),
		MaxRequestsPerSecond: 500,
	}, Options{}, &near{Amazon: a, latency: c.latency, rand: rand.New(rand.NewPCG(c.seed, seed))})
}

// workers are so many that the limit is the server's and not the wire's.
func (c course) workers() int { return max(8, int(c.rate*c.latency.Seconds()*4)) }

// drive fetches each skill once, or until ctx ends.
func (c course) drive(ctx context.Context, t *testing.T, s *Source, ids []credential.SkillID) {
	t.Helper()
	jobs := make(chan credential.SkillID)
	var wg sync.WaitGroup
	for range c.workers() {
		wg.Go(func() {
			for id := range jobs {
				if _, err := s.Fetch(ctx, id); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for _, id := range ids {
		select {
		case jobs <- id:
		case <-ctx.Done():
		}
	}
	close(jobs)
	wg.Wait()
}

// driveOn fetches the skills again and again until ctx ends.
func (c course) driveOn(ctx context.Context, t *testing.T, s *Source, ids []credential.SkillID) {
	t.Helper()
	for ctx.Err() == nil {
		c.drive(ctx, t, s, ids)
	}
}

// N skills take little longer than the N/R that Amazon allows, without a 429
// too many, and no call goes while Amazon wants to be left alone.
func TestThePaceIsWhatAmazonAllows(t *testing.T) {
	t.Logf("seed %d; the time is in N/R", scale.Seed())
	for _, dear := range []bool{false, true} {
		for _, burst := range []int{1, 10} {
			for _, rate := range []float64{5, 20, 60, 100} {
				for _, latency := range []time.Duration{2, 20, 80, 200}[:scale.Size(1, 4)] {
					for n := range uint64(scale.Size(1, 4)) {
						c := course{rate, burst, dear, latency * time.Millisecond, scale.Seed() + n}
						synctest.Test(t, func(t *testing.T) { c.run(t) })
					}
				}
			}
		}
	}
}

func (c course) run(t *testing.T) {
	a := c.amazon()
	s := c.open(t, a, 1)
	start := time.Now()
	c.drive(t.Context(), t, s, a.Skills())
	took := time.Since(start).Seconds() / 60
	seen := a.Requests()
	if n := c.impatient(seen.Last); n > 0 {
		t.Errorf("%s: %d calls went before a Retry-After was over", c, n)
	}
	share := float64(seen.Count(emulator.OpCredentials, 429)) / float64(seen.Count(emulator.OpCredentials))
	most, mostShare := 1.10, 0.03
	if c.dear {
		most, mostShare = 1.15, 0.04
	}
	if c.latency > 2*time.Millisecond { // more is under way when the news comes, and more lost
		most, mostShare = most+0.02, 0.04
	}
	if c.latency > 20*time.Millisecond {
		most, mostShare = most+0.15, 0.10
	}
	t.Logf("%-45s %.3f, %4.1f %% throttled", c, took, 100*share)
	if took > most || share > mostShare {
		t.Errorf("%s: took %.3f and %.1f %%, want %.2f and %.0f %% at most", c, took, 100*share, most, 100*mostShare)
	}
}

// impatient counts the calls that were sent after a 429 had come back, and
// before the second was over that it demanded.
func (c course) impatient(seen []emulator.Request) (n int) {
	var from, until time.Time
	for _, r := range seen {
		if r.Operation != emulator.OpCredentials || !c.dear {
			continue
		}
		if sent := r.Time.Add(-c.latency / 2); sent.After(from) && sent.Before(until) {
			n++
		}
		if r.Status == http.StatusTooManyRequests {
			from = r.Time.Add(c.latency * 6 / 10) // the slowest way back
			until = r.Time.Add(time.Second)
		}
	}
	return n
}

// Amazon gives another limit in the middle of a run; ten seconds later that one
// is kept.
func TestThePaceFollowsTheLimit(t *testing.T) {
	for _, factor := range []float64{0.5, 2} {
		for _, burst := range []int{1, 10} {
			for _, rate := range []float64{5, 60, 20, 100}[:scale.Size(2, 4)] {
				for n := range uint64(scale.Size(1, 4)) {
					c := course{rate, burst, false, 20 * time.Millisecond, scale.Seed() + n}
					synctest.Test(t, func(t *testing.T) { c.change(t, factor) })
				}
			}
		}
	}
}

func (c course) change(t *testing.T, factor float64) {
	a := c.amazon()
	s := c.open(t, a, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { c.driveOn(ctx, t, s, a.Skills()) })
	time.Sleep(25*time.Second + time.Duration(c.seed%8)*1300*time.Millisecond)
	limit := c.rate * factor
	a.SetRate(limit, c.burst, c.dear)
	start := time.Now()
	follows := time.Duration(-1)
	for follows < 0 && time.Since(start) < 30*time.Second {
		time.Sleep(100 * time.Millisecond)
		if math.Abs(s.Pace()/limit-1) < 0.15 {
			follows = time.Since(start)
		}
	}
	time.Sleep(13*time.Second - time.Since(start))
	before := a.Requests().Count(emulator.OpCredentials, 200)
	time.Sleep(10 * time.Second)
	share := float64(a.Requests().Count(emulator.OpCredentials, 200)-before) / (10 * limit)
	cancel()
	wg.Wait()
	t.Logf("%-45s then %g: follows after %s; of the new limit it uses %.2f", c, limit, follows, share)
	most := 10 * time.Second
	if limit < 5 { // with so few calls, and what the bucket still holds of better days
		most = 13 * time.Second
	}
	if follows < 0 || follows > most || share < 0.85 {
		t.Errorf("%s, then %g: follows after %s and uses %.2f of it", c, limit, follows, share)
	}
}

// Two sources on one account, the second of which comes later, both get on. A
// peer that lets no second call through at once can't be shared so: whoever is
// there takes each call that comes free before the other can.
func TestTwoSourcesShareTheLimit(t *testing.T) {
	for _, burst := range []int{10, 1}[:scale.Size(1, 2)] {
		for _, rate := range []float64{20, 100, 60, 5}[:scale.Size(2, 4)] {
			for n := range uint64(scale.Size(1, 4)) {
				c := course{rate, burst, false, 20 * time.Millisecond, scale.Seed() + n}
				synctest.Test(t, func(t *testing.T) { c.share(t) })
			}
		}
	}
}

func (c course) share(t *testing.T) {
	a := c.amazon()
	ids := a.Skills()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	half := len(ids) / 2
	wg.Go(func() { c.driveOn(ctx, t, c.open(t, a, 1), ids[:half]) })
	time.Sleep(time.Duration(c.seed%7) * 4700 * time.Millisecond)
	wg.Go(func() { c.driveOn(ctx, t, c.open(t, a, 2), ids[half:]) })
	time.Sleep(30 * time.Second)
	first := make(map[credential.SkillID]bool)
	for _, id := range ids[:half] {
		first[id] = true
	}
	from, got := time.Now(), [2]int{}
	for range 60 {
		time.Sleep(time.Second)
		for _, r := range a.Requests().Last {
			if r.Status != http.StatusOK || r.Time.Before(from) {
				continue
			}
			if first[r.Skill] {
				got[0]++
			} else {
				got[1]++
			}
		}
		from = time.Now()
	}
	cancel()
	wg.Wait()
	both := float64(got[0] + got[1])
	least := 2 * float64(min(got[0], got[1])) / both
	t.Logf("%-45s the smaller has %.2f of its half; together %.2f of the limit", c, least, both/60/c.rate)
	if both/60 < 0.8*c.rate || least < 0.3 && c.burst > 1 {
		t.Errorf("%s: the smaller has %.2f of its half, together they have %.2f of the limit", c, least, both/60/c.rate)
	}
}
