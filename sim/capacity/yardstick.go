package capacity

import (
	"runtime"
	"sync"
	"time"

	"mpinlab/protocol"
)

// yardstick verifies logins now and then on the servers' CPU, while they work, and
// times that. A machine that others share goes half as slow again for some
// tens of milliseconds whenever the other half of a core has work, and more or less
// often from one minute to the next; what something takes at some time over what it
// took while calibrating is what the yardstick takes now over what it took then.
type yardstick struct {
	stop, done chan struct{}
	mu         sync.Mutex
	ticks      []tick
}

type tick struct {
	at          time.Time
	took, spent time.Duration
}

// yardEvery is the time between two ticks: one or two in a hundred of the CPU's time go
// into them, which the model counts. More of them, of a shorter kind, told less of
// the server's pace: they were slowed by what comes between them and it.
const yardEvery = 97 * time.Millisecond

// yardShare is what a tick takes over what is timed of it.
const yardShare = 2

// newYardstick starts one on some CPUs; end ends it.
func newYardstick(suite *protocol.Suite, on []int) (*yardstick, error) {
	w, err := newWorkload(suite, 4)
	if err != nil {
		return nil, err
	}
	y := &yardstick{stop: make(chan struct{}), done: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		defer close(y.done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its CPUs
		ticker := time.NewTicker(yardEvery)
		defer ticker.Stop()
		for i := 0; ; i++ {
			// Whoever pins the process' threads pins this one too: once more.
			err := pinThread(on)
			start, took := threadTime(), time.Duration(0)
			if err == nil {
				took, err = w.tick(i, threadTime)
			}
			y.mu.Lock()
			y.ticks = append(y.ticks, tick{time.Now(), took, threadTime() - start})
			y.mu.Unlock()
			if i == 0 {
				failed <- err
			}
			if err != nil {
				return
			}
			select {
			case <-y.stop:
				return
			case <-ticker.C:
			}
		}
	}()
	if err := <-failed; err != nil {
		<-y.done
		return nil, err
	}
	return y, nil
}

func (y *yardstick) end() {
	close(y.stop)
	<-y.done
}

// mean is the mean of the ticks between two times in µs, of all where there is none
// between them. spent is what they took together.
func (y *yardstick) mean(from, to time.Time) (mean float64, spent time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	var within, all []time.Duration
	for _, t := range y.ticks {
		all = append(all, t.took)
		if t.at.After(from) && t.at.Before(to) {
			within = append(within, t.took)
			spent += t.spent
		}
	}
	if len(within) == 0 {
		within = all
	}
	return meanTick(within), spent
}

// paces are the ticks between two times over a mean in µs, without strays.
func (y *yardstick) paces(since, to time.Time, mean float64) (list []Pace) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, t := range y.ticks {
		if p := t.took.Seconds() * 1e6 / mean; !t.at.Before(since) && !t.at.After(to) && p < stray {
			list = append(list, Pace{t.at.Sub(since), p})
		}
	}
	return list
}

// meanTick is the harmonic mean of ticks in µs: they are taken at regular times, and
// what gets done in a time is as its inverse.
func meanTick(list []time.Duration) float64 {
	kept := withoutStrays(list)
	sum := 0.0
	for _, t := range kept {
		sum += 1 / (t.Seconds() * 1e6)
	}
	return float64(len(kept)) / sum
}

// tick verifies two logins and times the second one: the first finds code and data
// where the CPU had something else to do before, or slept.
func (w *workload) tick(i int, clock func() time.Duration) (time.Duration, error) {
	verify := func(i int) error {
		s := &w.good[i%len(w.good)]
		return w.verifier.Verify(s.Identity, s.Transcript)
	}
	if err := verify(2 * i); err != nil {
		return 0, err
	}
	start := clock()
	err := verify(2*i + 1)
	return max(1, clock()-start), err
}
