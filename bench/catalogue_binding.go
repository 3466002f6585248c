package bench

import (
	"fmt"
	"math/rand/v2"

	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// bindingOps are the proof that U and U_T of a pass 1 have one x.
var bindingOps = []protocolOp{
	{
		Operation: Operation{"ProveBinding", "a client proves that U and U_T of its pass 1 belong together, encoded; the points A and A + A_T at hand"},
		needs:     func(s *protocol.Suite) bool { return s.ID().TimePermits() },
		build: func(w *world) (*direct.Op, func(int) []byte) {
			provers := w.permitted()
			var kept [Inputs][]byte
			return &direct.Op{
				Run: func(i int) { kept[i] = must(provers[i].ProveBinding(nil)) },
				Result: func(i int) []byte {
					return verdict(w.suite.VerifyBinding(w.users[i].id, w.in.Date, provers[i].Pass1(), kept[i]) == nil)
				},
			}, w.always
		},
	},
	{
		Operation: Operation{"VerifyBinding", "the server checks such a proof from bytes, decoding U and U_T; the points A and A + A_T at hand; where the login must be rejected the U is another's"},
		needs:     func(s *protocol.Suite) bool { return s.ID().TimePermits() },
		build: func(w *world) (*direct.Op, func(int) []byte) {
			provers := w.permitted()
			var sent [Inputs]protocol.Pass1
			var proofs [Inputs][]byte
			for i, p := range provers {
				sent[i], proofs[i] = p.Pass1(), must(p.ProveBinding(w.source("binding", i)))
				if !w.in.Users[i].Accept {
					sent[i].U = provers[(i+1)%Inputs].Pass1().U
				}
			}
			return keepVerdictOp(func(i int) bool {
				return w.suite.VerifyBinding(w.users[i].id, w.in.Date, sent[i], proofs[i]) == nil
			}), w.accept
		},
	},
}

// permitted begins a login under a permit for every user.
func (w *world) permitted() (provers [Inputs]*protocol.Prover) {
	for i := range provers {
		u := &w.users[i]
		permit := must(protocol.CombinePermits(must(w.masters[0].PermitShare(u.id, w.in.Date)), must(w.masters[1].PermitShare(u.id, w.in.Date))))
		provers[i] = must(w.suite.NewProver(u.id, u.secret, permit, w.source("permit", i)))
	}
	return provers
}

// source gives the randomness of input i for a purpose.
func (w *world) source(purpose string, i int) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte(fmt.Appendf(nil, "%8x %-8.8s %-14d", inputSeed, purpose, i)))
}
