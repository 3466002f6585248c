package bench

import (
	"math/rand/v2"
	"sync"

	"mpinlab/bench/direct"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
)

// thresholdSizes are the thresholds at which combining is measured.
var thresholdSizes = []int{2, 3, 5, 10}

// thresholdOps are the threshold D-TA operations.
var thresholdOps = func() (ops []protocolOp) {
	for _, t := range thresholdSizes {
		ops = append(ops, protocolOp{
			Operation: Operation{"CombineThreshold", "a client combines the shares of t D-TAs, every second of 2t − 1, into its secret, with the Lagrange coefficients; shares decoded and not verified, secret encoded"},
			n:         t, nName: "t",
			build: func(w *world) (*direct.Op, func(int) []byte) { return w.combineThreshold(t) },
		})
	}
	return ops
}()

// combineThreshold shares the world's master secret. A user's shares are
// issued before the first run that combines them.
func (w *world) combineThreshold(t int) (*direct.Op, func(int) []byte) {
	shares := sync.OnceValue(func() []*threshold.Share {
		m := must(protocol.CombineMasterSecrets(w.masters...))
		_, shares, err := threshold.Split(w.suite, m, t, 2*t-1, rand.NewChaCha8([32]byte{inputSeed & 0xff, byte(t)}))
		return must(shares, err)
	})
	var issued [Inputs][]*threshold.ClientShare
	op := keepBytes(func(i int) []byte {
		return must(threshold.CombineClientSecrets(t, issued[i]...)).Bytes()
	})
	op.Prepare = func(first, n int) {
		for i := first; i < first+min(n, Inputs); i++ {
			u := i % Inputs
			for j := 0; len(issued[u]) < t; j += 2 {
				issued[u] = append(issued[u], must(shares()[j].ClientShare(w.users[u].id)))
			}
		}
	}
	return op, func(i int) []byte { return w.in.Users[i].ClientSecret }
}
