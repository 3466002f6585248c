package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/sim/store/redistest"
)

const (
	// crashPath names the variable that makes the test binary the process that
	// is killed; its value is the path of its file.
	crashPath = "MPIN_STORE_CRASH"

	crashWorkers = 8
)

// rounds is how often a crash is provoked.
func rounds(short int) int {
	if os.Getenv("MPIN_TORTURE") == "1" {
		return 50
	}
	return short
}

// crashWork changes durable state as one worker until there is an error. What
// has been acknowledged is told: step n of the worker, and the failures of its
// identity. It goes on from step n.
func crashWork(s Store, worker, n int, tell func(worker, step, failures int)) error {
	ctx := context.Background()
	id := "user " + strconv.Itoa(worker)
	for {
		n++
		old := text("step %d", n-1)
		// What was not acknowledged before a crash may be there already.
		if _, err := s.Do(ctx, Create(Registration, fmt.Sprintf("%s/%d", id, n), text("%d", n), time.Hour), Put(Mark, id, old, time.Minute)); err != nil {
			return err
		}
		if n == 1 {
			if _, err := s.Do(ctx, Create(Account, id, old, 0)); err != nil {
				return err
			}
		}
		if ok, err := s.Swap(ctx, Account, id, old, text("step %d", n)); err != nil || !ok {
			return fmt.Errorf("swapped %v: %w", ok, err)
		}
		a, err := s.Reserve(ctx, id, Policy{1 << 20, time.Minute})
		if err != nil {
			return err
		}
		failures, err := s.Settle(ctx, a, Failed)
		if err != nil {
			return err
		}
		tell(worker, n, failures)
	}
}

// crashChild is the process that is killed. Its journal is its output.
func crashChild(path string) error {
	s, err := OpenBolt(path, Options{})
	if err != nil {
		return err
	}
	errs := make(chan error)
	for worker := range crashWorkers {
		steps, _, err := stepsOf(s, worker)
		if err != nil {
			return err
		}
		go func() {
			errs <- crashWork(s, worker, steps, func(worker, step, failures int) {
				fmt.Printf("%d %d %d.\n", worker, step, failures) // one write, unbuffered
			})
		}()
	}
	return <-errs
}

// stepsOf returns what is there of a worker's.
func stepsOf(s Store, worker int) (steps, failures int, err error) {
	id := "user " + strconv.Itoa(worker)
	r, err := s.Do(context.Background(), Get(Account, id))
	if err != nil {
		return 0, 0, err
	}
	if r[0].OK {
		if _, err := fmt.Sscanf(string(r[0].Value), "step %d", &steps); err != nil {
			return 0, 0, fmt.Errorf("account %q: %w", r[0].Value, err)
		}
	}
	failures, err = s.Failures(context.Background(), id)
	return steps, failures, err
}

// journal is what was acknowledged to each worker.
type journal struct {
	mu    sync.Mutex
	acked [crashWorkers]struct{ steps, failures int }
	lines int
}

func (j *journal) tell(worker, step, failures int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acked[worker].steps, j.acked[worker].failures = step, failures
	j.lines++
}

// check compares a store with the journal: all that was acknowledged is there,
// and nothing beyond the one step of each worker that was under way.
func (j *journal) check(t *testing.T, s Store) {
	t.Helper()
	have := map[string]bool{}
	if err := s.Scan(t.Context(), Registration, func(key string, _ []byte) bool { have[key] = true; return true }); err != nil {
		t.Fatal(err)
	}
	for worker, acked := range j.acked {
		steps, failures, err := stepsOf(s, worker)
		if err != nil {
			t.Fatal(err)
		}
		if steps < acked.steps || steps > acked.steps+1 {
			t.Errorf("worker %d: step %d, acknowledged %d", worker, steps, acked.steps)
		}
		// Of a step that was not acknowledged the failure can be missing.
		if failures < acked.failures || failures > acked.failures+1 {
			t.Errorf("worker %d: %d failures, acknowledged %d", worker, failures, acked.failures)
		}
		for n := 1; n <= steps; n++ {
			if !have[fmt.Sprintf("user %d/%d", worker, n)] {
				t.Errorf("worker %d: registration %d of %d is lost", worker, n, steps)
			}
		}
		// The next round counts from what is there.
		j.acked[worker].steps, j.acked[worker].failures = steps, failures
	}
}

// A process that is killed while it writes has lost nothing it acknowledged.
func TestKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var j journal
	for range rounds(4) {
		child := exec.Command(self)
		child.Env = append(os.Environ(), crashPath+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		child.Stderr = &stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		var kill *time.Timer
		for {
			line, err := lines.ReadString('\n')
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if kill == nil { // it is at work
				kill = time.AfterFunc(rand.N(100*time.Millisecond), func() { child.Process.Kill() })
			}
			var worker, step, failures int
			if _, err := fmt.Sscanf(line, "%d %d %d.\n", &worker, &step, &failures); err != nil {
				t.Fatalf("journal: %q: %v", line, err)
			}
			j.tell(worker, step, failures)
		}
		err = child.Wait()
		if kill == nil || child.ProcessState.Exited() {
			t.Fatalf("the process ended by itself: %v %s", err, &stderr)
		}
		s, err := OpenBolt(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		j.check(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d steps acknowledged", j.lines)
}

// The same for a Redis server; and clients find it again by themselves.
func TestKilledRedis(t *testing.T) {
	server := redistest.Start(t)
	s, err := OpenRedis(server.URL(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if w := s.Warnings(); len(w) != 0 {
		t.Fatal(w)
	}
	var j journal
	for range rounds(3) {
		errs := make(chan error, crashWorkers)
		for worker := range crashWorkers {
			go func() { errs <- crashWork(s, worker, j.acked[worker].steps, j.tell) }()
		}
		untilLines(t, &j, 20)
		wait := time.NewTimer(rand.N(100 * time.Millisecond))
		<-wait.C
		server.Kill()
		for range crashWorkers {
			wantErr(t, <-errs, ErrUnavailable)
		}
		wantErr(t, s.Ping(t.Context()), ErrUnavailable)
		server.Restart()
		for end := time.Now().Add(30 * time.Second); ; {
			if err := s.Ping(t.Context()); err == nil {
				break
			} else if !errors.Is(err, ErrUnavailable) || time.Now().After(end) {
				t.Fatal(err)
			}
		}
		j.check(t, s)
	}
	t.Logf("%d steps acknowledged", j.lines)
}

// untilLines waits for n more acknowledgements.
func untilLines(t *testing.T, j *journal, n int) {
	t.Helper()
	count := func() int {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.lines
	}
	for start, end := count(), time.Now().Add(30*time.Second); count() < start+n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no steps are acknowledged")
		}
	}
}

// A reservation outlives neither its process nor its settling, whatever is
// killed: with those killed while attempts are judged, never more verdicts are
// told than may be.
func TestAttemptsOverCrashes(t *testing.T) {
	server := redistest.Start(t)
	o := Options{PoolSize: 8}
	var handles []Store
	for range 3 {
		s, err := OpenRedis(server.URL(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		handles = append(handles, s)
	}
	for round := range rounds(2) {
		id := "user " + strconv.Itoa(round)
		var mu sync.Mutex
		var told []int
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				s := handles[i%3]
				r, err := s.Reserve(context.Background(), id, Policy{3, 300 * time.Millisecond})
				if err == nil {
					var n int
					if n, err = s.Settle(context.Background(), r, Failed); err == nil {
						mu.Lock()
						told = append(told, n)
						mu.Unlock()
						return
					}
				}
				if !errors.Is(err, ErrBlocked) && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrLeaseEnded) {
					t.Error(err)
				}
			})
		}
		wait := time.NewTimer(rand.N(8 * time.Millisecond))
		<-wait.C
		server.Kill()
		wg.Wait()
		server.Restart()
		before := len(told)
		counted, err := handles[0].Failures(t.Context(), id)
		for err != nil {
			wantErr(t, err, ErrUnavailable)
			counted, err = handles[0].Failures(t.Context(), id)
		}
		if counted < before || counted > 3 {
			t.Fatalf("%d verdicts were told, %d failures are counted", before, counted)
		}
		for n := counted; n < 3; n++ {
			r, err := handles[1].Reserve(t.Context(), id, Policy{3, time.Minute})
			for errors.Is(err, ErrUnavailable) {
				r, err = handles[1].Reserve(t.Context(), id, Policy{3, time.Minute})
			}
			if err != nil {
				t.Fatal(err)
			}
			settle(t, handles[1], r, Failed, n+1)
			told = append(told, n+1)
		}
		var refused error
		for refused = ErrUnavailable; errors.Is(refused, ErrUnavailable); {
			_, refused = handles[2].Reserve(t.Context(), id, three)
		}
		wantErr(t, refused, ErrBlocked)
		slices.Sort(told)
		if len(slices.Compact(told)) != len(told) || len(told) > 3 {
			t.Fatalf("verdicts %v were told", told)
		}
	}
}
