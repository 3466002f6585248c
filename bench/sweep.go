package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"

	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// Sweep is an operation measured over a range of sizes, to see how its cost
// grows. Its rows are made by Catalogue where Selection.Sweeps is set.
type Sweep struct {
	Operation
	// Parameter names the size in words.
	Parameter string
	// PerUnit says that the rows' cost is that of one unit of the size, so that
	// the cost of the whole is the row's times the size.
	PerUnit bool
	// Cores says that the size is GOMAXPROCS: the sweep has one row for each
	// value it was measured under. What grows is then the rate.
	Cores bool
}

// sweep is a Sweep with what makes its cases.
type sweep struct {
	Sweep
	nName string
	sizes []int
	// perRun and concurrent are as in protocolOp.
	perRun     func(n int) int
	concurrent bool
	needs      func(s *protocol.Suite, n int) bool
	build      func(w *world, n int) (*direct.Op, func(int) []byte)
}

// Sweeps lists the sweeps in the order in which they are shown.
func Sweeps() []Sweep {
	var list []Sweep
	for _, s := range sweeps {
		list = append(list, s.Sweep)
	}
	return list
}

// loginsAtOnce is how many logins ServerVerifyParallel shares out.
const loginsAtOnce = 32

// smallCache is the capacity of the cache that is too small for most sizes.
const smallCache = 1024

var sweeps = []sweep{
	{
		Sweep: Sweep{Operation: Operation{"ServerVerifyParallel", fmt.Sprintf("ServerVerifyCached of %d logins, shared out among as many goroutines as there are cores; cost of one", loginsAtOnce)},
			Parameter: "cores", Cores: true},
		sizes:      []int{0},
		perRun:     func(int) int { return loginsAtOnce },
		concurrent: true,
		build: func(w *world, _ int) (*direct.Op, func(int) []byte) {
			return w.verifyTogether(loginsAtOnce, func() int { return runtime.GOMAXPROCS(0) })
		},
	},
	{
		Sweep: Sweep{Operation: batchOps[0].Operation, Parameter: "logins in a batch", PerUnit: true},
		nName: "n", sizes: []int{2, 8, 32, 128, 512, 1024},
		perRun: func(n int) int { return n }, concurrent: true,
		needs: func(s *protocol.Suite, n int) bool { return n <= max(32, greatestBatch(s.Backend())) },
		build: func(w *world, n int) (*direct.Op, func(int) []byte) {
			// The check plants a bad session among eight.
			w.sessions(max(n, 8))
			return w.verifyBatch(n), w.sameVerdict
		},
	},
	{
		Sweep: Sweep{Operation: Operation{"ServerVerifyConcurrent", "ServerVerifyCached in as many goroutines at once as there are sessions; cost of one"},
			Parameter: "concurrent sessions", PerUnit: true},
		nName: "sessions", sizes: []int{1, 4, 16, 64, 256},
		perRun: func(n int) int { return n }, concurrent: true,
		build: func(w *world, n int) (*direct.Op, func(int) []byte) {
			return w.verifyTogether(n, func() int { return n })
		},
	},
	{
		Sweep: Sweep{Operation: Operation{"SignMessage", "Sign of a message of so many bytes"}, Parameter: "bytes of the message"},
		nName: "bytes", sizes: []int{32, 1 << 10, 1 << 14, 1 << 17, 1 << 20},
		needs: func(s *protocol.Suite, _ int) bool { return s.HasOnePass() },
		build: buildSignMessage,
	},
	{
		Sweep: Sweep{Operation: Operation{"CombineShares", "a client decodes and adds the shares of its secret by so many D-TAs, all of which are needed; secret encoded"}, Parameter: "D-TAs, all needed"},
		nName: "dtas", sizes: []int{2, 4, 8, 16, 32},
		build: buildCombineShares,
	},
	{
		Sweep: Sweep{Operation: thresholdOps[0].Operation, Parameter: "threshold t, of 2t − 1 D-TAs"},
		nName: "t", sizes: []int{2, 4, 8, 16, 32},
		build: func(w *world, n int) (*direct.Op, func(int) []byte) { return w.combineThreshold(n) },
	},
	{
		Sweep: Sweep{Operation: Operation{"IdentityLookup", "the server finds the point of a user, each of the population as likely, in a cache that holds them all"}, Parameter: "users, all in the cache"},
		nName: "users", sizes: []int{64, 512, 4096, 16384},
		build: func(w *world, n int) (*direct.Op, func(int) []byte) { return w.lookUp(n, n) },
	},
	{
		Sweep: Sweep{Operation: Operation{"IdentityLookupFull", fmt.Sprintf("IdentityLookup in a cache that holds %d; the others are hashed to the curve again", smallCache)}, Parameter: fmt.Sprintf("users, %d in the cache", smallCache)},
		nName: "users", sizes: []int{512, 1024, 2048, 4096, 16384},
		build: func(w *world, n int) (*direct.Op, func(int) []byte) { return w.lookUp(n, smallCache) },
	},
}

// slowSize is the greatest size on the reference backend, whose inputs would
// take minutes to make.
const slowSize = 16

// sweepOps are the sweeps as operations of the catalogue, one a size.
func sweepOps() (ops []protocolOp) {
	for _, s := range sweeps {
		for _, n := range s.sizes {
			op := protocolOp{
				Operation: s.Operation, n: n, nName: s.nName, concurrent: s.concurrent,
				build: func(w *world) (*direct.Op, func(int) []byte) { return s.build(w, n) },
			}
			if s.perRun != nil {
				op.perRun = s.perRun(n)
			}
			op.needs = func(suite *protocol.Suite) bool {
				if n > slowSize && strings.HasPrefix(suite.Backend().Info().ID, "reference/") {
					return false
				}
				return s.needs == nil || s.needs(suite, n)
			}
			ops = append(ops, op)
		}
	}
	return ops
}

// verifyTogether verifies n logins in some goroutines. The result tells whether
// every verdict was the right one.
func (w *world) verifyTogether(n int, goroutines func() int) (*direct.Op, func(int) []byte) {
	return keepVerdictOp(func(i int) bool {
		right := make([]bool, n)
		var group sync.WaitGroup
		workers := min(n, goroutines())
		for worker := range workers {
			group.Go(func() {
				for k := worker; k < n; k += workers {
					u := (i + k) % Inputs
					err := w.verifier.Verify(w.users[u].id, w.transcript(u))
					right[k] = (err == nil) == w.in.Users[u].Accept
				}
			})
		}
		group.Wait()
		for _, r := range right {
			if !r {
				return false
			}
		}
		return true
	}), w.always
}

func buildSignMessage(w *world, n int) (*direct.Op, func(int) []byte) {
	message := make([]byte, n)
	rand.NewChaCha8([32]byte{inputSeed & 0xff}).Read(message)
	var kept [Inputs]*protocol.Signature
	return &direct.Op{
		Run: func(i int) {
			u := &w.users[i]
			kept[i] = must(w.suite.Sign(u.id, must(u.token.Secret(u.id, u.pin)), nil, benchTime, message, nil))
		},
		Result: func(i int) []byte {
			return verdict(w.verifier.VerifySignature(w.users[i].id, 0, kept[i], message) == nil)
		},
	}, w.always
}

// buildCombineShares splits each user's secret: all shares but one are random.
func buildCombineShares(w *world, n int) (*direct.Op, func(int) []byte) {
	rng := rand.NewChaCha8([32]byte{inputSeed & 0xff, byte(n)})
	var shares [Inputs][][]byte
	for i := range shares {
		rest := must(w.suite.DecodeG1(w.in.Users[i].ClientSecret))
		for range n - 1 {
			m := must(w.suite.NewMasterSecret(rng))
			share := must(m.ClientShare(w.users[i].id)).Bytes()
			shares[i] = append(shares[i], share)
			rest = rest.Sub(must(w.suite.DecodeG1(share)))
		}
		shares[i] = append(shares[i], w.suite.EncodeG1(rest))
	}
	return keepBytes(func(i int) []byte {
		var decoded []*protocol.ClientSecret
		for _, b := range shares[i] {
			decoded = append(decoded, must(w.suite.DecodeClientSecret(b)))
		}
		return must(protocol.CombineClientSecrets(decoded...)).Bytes()
	}), func(i int) []byte { return w.in.Users[i].ClientSecret }
}

// lookUp finds users of a population, in an order as good as random, in a cache
// that has seen as many of them as it holds. The result tells whether it was
// the right one.
func (w *world) lookUp(users, capacity int) (*direct.Op, func(int) []byte) {
	cache := must(w.suite.NewIdentityCache(capacity))
	raw := make([][]byte, users)
	for i := range raw {
		raw[i] = fmt.Appendf(nil, "user %d of %d", i, users)
	}
	for _, id := range raw[:min(users, capacity)] {
		must(cache.Get(id))
	}
	order := rand.New(rand.NewPCG(inputSeed, uint64(users)))
	var kept [Inputs]struct {
		user int
		id   *protocol.Identity
	}
	return &direct.Op{
		Run: func(i int) {
			kept[i].user = order.IntN(users)
			kept[i].id = must(cache.Get(raw[kept[i].user]))
		},
		Result: func(i int) []byte {
			want := must(w.suite.Identity(raw[kept[i].user]))
			return verdict(string(want.Hash()) == string(kept[i].id.Hash()))
		},
	}, w.always
}
