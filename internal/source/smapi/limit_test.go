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

// test runs one in virtual time.
func (c course) test(t *testing.T, run func(*testing.T)) {
	t.Run(fmt.Sprintf("%s, seed %d", c, c.seed), func(t *testing.T) { synctest.Test(t, run) })
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
						c.test(t, c.run)
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
		most, mostShare = most+0.20, 0.10
	}
	t.Logf("%-45s %.3f, %4.1f %% throttled", c, took, 100*share)
	if s.pace.tempo.turns.met {
		t.Errorf("%s: alone, it believed in others", c)
	}
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
	for _, dear := range []bool{false, true} {
		for _, factor := range []float64{0.5, 2} {
			for _, burst := range []int{1, 10} {
				for _, rate := range []float64{5, 60, 20, 100}[:scale.Size(2, 4)] {
					for n := range uint64(scale.Size(1, 4)) {
						c := course{rate, burst, dear, 20 * time.Millisecond, scale.Seed() + n}
						c.test(t, func(t *testing.T) { c.change(t, factor) })
					}
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
	most, least := 10*time.Second, 0.85
	if c.dear || limit < 5 { // a search only after nine waits; or so few calls, and what the bucket holds of better days
		most = 13 * time.Second
	}
	if limit < 5 { // now and then it believes in others for some turns
		least = 0.35
	}
	if follows < 0 || follows > most || share < least {
		t.Errorf("%s, then %g: follows after %s and uses %.2f of it", c, limit, follows, share)
	}
}

// Two sources on one account, the second of which comes later and knows nothing,
// have about as much of it each; when it leaves, the first has all again.
func TestTwoSourcesShareTheLimit(t *testing.T) {
	t.Logf("seed %d", scale.Seed())
	for _, dear := range []bool{false, true} {
		for _, burst := range []int{1, 10} {
			for _, rate := range []float64{20, 100, 60, 5}[:scale.Size(2, 4)] {
				for _, latency := range []time.Duration{2, 20}[:scale.Size(1, 2)] {
					sum, n := 0.0, scale.Size(1, 8)
					for i := range uint64(n) {
						c := course{rate, burst, dear, latency * time.Millisecond, scale.Seed() + i}
						c.test(t, func(t *testing.T) { sum += c.share(t) })
					}
					t.Logf("%-45s the smaller has %.2f of its half, the mean of %d", course{rate, burst, dear, latency * time.Millisecond, 0}, sum/float64(n), n)
				}
			}
		}
	}
}

// share returns what the smaller of two gets in a minute, of half of the limit.
func (c course) share(t *testing.T) float64 {
	a := c.amazon()
	ids := a.Skills()
	half := len(ids) / 2
	first := make(map[credential.SkillID]bool)
	for _, id := range ids[:half] {
		first[id] = true
	}
	ctx, cancel := context.WithCancel(t.Context())
	second, leave := context.WithCancel(ctx)
	var wg sync.WaitGroup
	one, two := c.open(t, a, 1), c.open(t, a, 2)
	wg.Go(func() { c.driveOn(ctx, t, one, ids[:half]) })
	time.Sleep(10*time.Second + time.Duration(c.seed%7)*4700*time.Millisecond)
	wg.Go(func() { c.driveOn(second, t, two, ids[half:]) })
	time.Sleep(30 * time.Second)
	throttled := one.Throttled() + two.Throttled()
	got := c.count(a, first, 60)
	throttled = one.Throttled() + two.Throttled() - throttled
	leave()
	time.Sleep(30 * time.Second)
	alone := float64(c.count(a, first, 20)[0]) / 20 / c.rate
	cancel()
	wg.Wait()
	all := float64(got[0] + got[1])
	smaller, both := 2*float64(min(got[0], got[1]))/60/c.rate, all/60/c.rate
	t.Logf("%-45s the smaller has %.2f of its half; together %.2f of the limit, %2.0f %% throttled; then alone %.2f",
		c, smaller, both, 100*float64(throttled)/(all+float64(throttled)), alone)
	least, use := 0.3, 0.75 // of the half, and of the limit
	switch {
	case c.burst > 1:
	case c.dear: // now and then they have not met yet
		least, use = 0, 0.7
	case c.latency > 2*time.Millisecond: // and there one in sixteen goes badly
		least, use = 0, 0.4
	default:
		least, use = 0.6, 0.8
	}
	if smaller < least || both < use {
		t.Errorf("%s: the smaller has %.2f of its half, want %.1f; together %.2f of the limit, want %.1f", c, smaller, least, both, use)
	}
	return smaller
}

// count returns how many pairs each of two got in so many seconds.
func (c course) count(a *emulator.Amazon, first map[credential.SkillID]bool, secs int) (got [2]int) {
	from := time.Now()
	for range secs {
		time.Sleep(time.Second)
		for _, r := range a.Requests().Last {
			switch {
			case r.Status != http.StatusOK || r.Time.Before(from) || r.Operation != emulator.OpCredentials:
			case first[r.Skill]:
				got[0]++
			default:
				got[1]++
			}
		}
		from = time.Now()
	}
	return got
}
