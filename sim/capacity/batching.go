package capacity

import (
	"fmt"
	"math"
	"slices"
)

// Batching is how an instance verifies logins together.
type Batching struct {
	// Batch, Waiting and Workers are those of protocol.BatchingOptions: the
	// greatest batch (0 means 256), the longest queue (0 means 10000), and the
	// batches at a time (0 means one a core).
	Batch, Waiting, Workers int
	// Costs are the times of batches, at least those without bad logins of two
	// sizes.
	Costs []BatchCost
	// Back is the share of a redeeming request's service that comes after its
	// verdict.
	Back float64
}

// BatchCost is the time to verify N logins together, Bad of them bad.
type BatchCost struct {
	N    int     `json:"n"`
	Bad  int     `json:"bad"`
	Time float64 `json:"us"` // the whole batch
	// Turns are the goroutines that the backend makes for a batch without bad logins, each
	// of which takes a turn of the scheduler, and First the share of Time before them: it is
	// measured where that is less than what a goroutine may have at a time.
	Turns float64 `json:"turns,omitempty"`
	First float64 `json:"first,omitempty"`
}

// The policy's constants: see protocol.BatchingVerifier.
const (
	policyMemory     = 256
	policyPatience   = 0.4
	policySingleFrom = 0.15
)

const maxBatch = 4096

func (b *Batching) check() error {
	if b.Batch < 0 || b.Batch > maxBatch || b.Waiting < 0 || b.Workers < 0 || b.Workers > 1<<16 || b.Back < 0 || b.Back > 1 {
		return fmt.Errorf("%w: batches of %d, queue of %d, %d workers, %v after the verdict", ErrModel, b.Batch, b.Waiting, b.Workers, b.Back)
	}
	good := 0
	for _, c := range b.Costs {
		if c.N < 1 || c.N > 1<<20 || c.Bad < 0 || c.Bad > c.N || !(c.Time >= 0) || c.Time > 1e9 {
			return fmt.Errorf("%w: %v µs for a batch of %d with %d bad", ErrModel, c.Time, c.N, c.Bad)
		}
		if !(c.Turns >= 0 && c.Turns <= 1e6) || !(c.First >= 0 && c.First <= 1) {
			return fmt.Errorf("%w: %v goroutines after %v of a batch of %d", ErrModel, c.Turns, c.First, c.N)
		}
		if c.Bad == 0 {
			good++
		}
	}
	if good < 2 {
		return fmt.Errorf("%w: costs of two sizes of batch without bad logins are needed", ErrModel)
	}
	return nil
}

// worst is how much more than its logins one by one a batch can cost.
const worst = 2.2

// batchTable is the time of every batch, by size and number of bad logins.
type batchTable struct {
	single float64
	good   []float64 // by n
	// extra is what the k-th bad login adds, by n; beyond the last k measured
	// each adds as much as the last did.
	extra [][]float64
	// turns and first are BatchCost's, by n; first is 1 where there are no turns.
	turns []int
	first []float64
}

// table interpolates the measured costs over the sizes, by the logarithms of
// both, since a batch's cost is nearly a power of its size in between.
func (b *Batching) table(batch int) *batchTable {
	byBad := map[int][]BatchCost{}
	most := 0
	for _, c := range b.Costs {
		byBad[c.Bad] = append(byBad[c.Bad], c)
		most = max(most, c.Bad)
	}
	t := &batchTable{
		good: make([]float64, batch+1), extra: make([][]float64, batch+1),
		turns: make([]int, batch+1), first: make([]float64, batch+1),
	}
	for _, list := range byBad {
		slices.SortFunc(list, func(x, y BatchCost) int { return x.N - y.N })
	}
	for n := 1; n <= batch; n++ {
		t.good[n] = along(byBad[0], n) * 1000
		t.turns[n], t.first[n] = goroutines(byBad[0], n)
		last := t.good[n]
		for k := 1; k <= min(most, n); k++ {
			if len(byBad[k]) == 0 {
				break
			}
			at := max(last, along(byBad[k], n)*1000)
			t.extra[n] = append(t.extra[n], at-last)
			last = at
		}
	}
	t.single = t.good[1]
	return t
}

// goroutines are the turns of the measured size nearest to n, and the share before them
// of the nearest size of which that was measured; of a batch without any it is all.
func goroutines(list []BatchCost, n int) (turns int, first float64) {
	nearest := func(measured func(BatchCost) bool) (c BatchCost) {
		away := math.Inf(1)
		for _, x := range list {
			if d := math.Abs(math.Log(float64(x.N) / float64(n))); d < away && measured(x) {
				away, c = d, x
			}
		}
		return c
	}
	turns = int(math.Round(nearest(func(BatchCost) bool { return true }).Turns))
	first = nearest(func(c BatchCost) bool { return c.First > 0 }).First
	if turns == 0 || first == 0 {
		return 0, 1
	}
	return turns, first
}

// along is the cost of n between the measured sizes, in µs.
func along(list []BatchCost, n int) float64 { return between(list, float64(n)) }

// between is the same of a mean size.
func between(list []BatchCost, n float64) float64 {
	if len(list) == 1 {
		return list[0].Time
	}
	i := 1
	for i < len(list)-1 && float64(list[i].N) < n {
		i++
	}
	a, b := list[i-1], list[i]
	if a.Time <= 0 || b.Time <= 0 || a.N == b.N {
		return a.Time
	}
	f := math.Log(n/float64(a.N)) / math.Log(float64(b.N)/float64(a.N))
	return a.Time * math.Pow(b.Time/a.Time, f)
}

// cost is the time of a batch of n with bad ones among them, in ns.
func (t *batchTable) cost(n, bad int) int64 {
	c, extra := t.good[n], t.extra[n]
	for k := range bad {
		if len(extra) == 0 {
			break // measured without bad ones only
		}
		c += extra[min(k, len(extra)-1)]
	}
	if bad > 0 {
		c = min(c, worst*float64(n)*t.single)
	}
	return int64(c)
}

// verifier is an instance's batching verifier in the simulation.
type verifier struct {
	waiting  ring[ref]
	badShare float64
	// awake are the workers that are verifying, or about to take their batch,
	// and verifying the logins with those that have one.
	awake, verifying int
}

// limit is the greatest batch that pays, and share what a free worker takes: see
// protocol.BatchingVerifier.
func (v *verifier) limit(batch int) int {
	switch p := v.badShare; {
	case p >= policySingleFrom:
		return 1
	case p*float64(batch) > policyPatience:
		return int(policyPatience / p)
	}
	return batch
}

func (v *verifier) share(batch, workers int) int {
	all := v.waiting.n + v.verifying
	return min(v.waiting.n, v.limit(batch), (all+workers-1)/workers)
}

// learn follows the share of bad logins.
func (v *verifier) learn(n, bad int) {
	weight := min(1, float64(n)/policyMemory)
	v.badShare += weight * (float64(bad)/float64(n) - v.badShare)
}
