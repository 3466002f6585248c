package endtoend

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"mpinlab/protocol"
	"mpinlab/sim/deploy"
)

// judge is ServerVerifyCached: one login verified from its bytes where the
// points of the identity and of the identity with the day are at hand, as they
// are to an RPS for users who come back.
type judge struct {
	verifier *protocol.Verifier
	ids      []*protocol.Identity
	logins   []protocol.Transcript
	repeat   int
}

// judged is the number of different logins; one alone flatters.
const judged = 16

func newJudge(suite *protocol.Suite, issuer *deploy.Issuer, c *crowd) (*judge, error) {
	secret, err := issuer.ServerSecret()
	if err != nil {
		return nil, err
	}
	j := &judge{repeat: 3}
	if j.verifier, err = suite.NewVerifier(secret); err != nil {
		return nil, err
	}
	halves, err := c.prepare(context.Background(), judged)
	if err != nil {
		return nil, err
	}
	for _, h := range halves {
		m := h.prover.Pass1()
		challenge, err := j.verifier.Challenge(h.user.id, m, c.date, nil)
		if err != nil {
			return nil, err
		}
		v, err := h.prover.Pass2(challenge.Y())
		if err != nil {
			return nil, err
		}
		j.ids = append(j.ids, h.user.id)
		j.logins = append(j.logins, protocol.Transcript{Date: c.date, U: m.UT, Y: challenge.Y(), V: v})
	}
	_, err = j.cost() // the points of the day
	return j, err
}

// cost is the time on a CPU of one verification, in µs, on all CPUs at the same
// time, as the servers verify: caches and, where CPUs are halves of a core, the
// core are shared then.
func (j *judge) cost() (float64, error) {
	times := make([]int64, runtime.GOMAXPROCS(0))
	errs := make([]error, len(times))
	var all sync.WaitGroup
	for k := range times {
		all.Go(func() { times[k], errs[k] = j.alone() })
	}
	all.Wait()
	sum := int64(0)
	for _, t := range times {
		sum += t
	}
	return float64(sum) / 1e3 / float64(len(times)*j.repeat*len(j.logins)), errors.Join(errs...)
}

// alone is the time on its CPU that one thread takes, in ns.
func (j *judge) alone() (int64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, err := threadTime()
	if err != nil {
		return 0, err
	}
	for range j.repeat {
		for i := range j.logins {
			if err := j.verifier.Verify(j.ids[i], &j.logins[i]); err != nil {
				return 0, fmt.Errorf("a login that had to be accepted: %w", err)
			}
		}
	}
	end, err := threadTime()
	return end - start, err
}
