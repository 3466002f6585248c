package bench

import (
	"slices"
	"sync"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/bench/inputs"
	"mpinlab/protocol"
)

// protocolOp is an operation of the catalogue on a suite.
type protocolOp struct {
	Operation
	// needs reports whether it is worth measuring on a suite; nil means yes.
	needs func(*protocol.Suite) bool
	// n is the value of the operation's size parameter nName; 0 and "" where it
	// has none. Operations that differ in it alone follow one another.
	n     int
	nName string
	// perRun is the number of units one run does; 0 means 1.
	perRun int
	// concurrent operations may hand work to goroutines of the library.
	concurrent bool
	// build sets it up through package protocol, with what is wanted.
	build func(w *world) (op *direct.Op, want func(i int) []byte)
}

// allProtocolOps is the whole list: the two-pass protocol, batches, the rest of
// the family and threshold issuing.
func allProtocolOps() []protocolOp {
	return slices.Concat(protocolOps, batchOps, saturatedOps, pinErrorOps, bindingOps, familyOps, thresholdOps)
}

// protocolOps is the part of the list that is selected from.
func (c *collector) protocolOps() []protocolOp {
	if c.sel.Sweeps {
		return sweepOps()
	}
	return allProtocolOps()
}

// protocolCases adds the protocol operations, through package protocol and
// direct.
func (c *collector) protocolCases() error {
	first := true
	for _, id := range protocol.SuiteIDs() {
		if id.Curve != c.b.Info().Curve {
			continue
		}
		taken := c.sel.takesDialect(id, first)
		first = false
		if !taken {
			continue
		}
		s, err := protocol.New(id, c.b)
		if err != nil {
			return err
		}
		data := sync.OnceValues(func() (*inputs.Protocol, error) { return inputs.NewProtocol(s, inputSeed) })
		world := sync.OnceValues(func() (*world, error) {
			in, err := data()
			if err != nil {
				return nil, err
			}
			return newWorld(s, in)
		})
		for _, o := range c.protocolOps() {
			if o.needs != nil && !o.needs(s) {
				continue
			}
			k := c.key(o.Name, "protocol")
			k.Suite = id.Dialect.String()
			k.N, k.NName = o.n, o.nName
			c.addRuns(k, o.perRun, o.concurrent, func() (*direct.Op, func(int) []byte, error) {
				w, err := world()
				if err != nil {
					return nil, nil, err
				}
				op, want := o.build(w)
				return op, want, nil
			})
		}
		if build := direct.FindServerVerify(c.b.Info().ID); build != nil && id.Dialect == protocol.RFC9380 && !c.sel.Sweeps {
			k := c.key("ServerVerify", "direct")
			k.Suite = id.Dialect.String()
			c.add(k, false, func() (*direct.Op, func(int) []byte, error) {
				in, err := data()
				if err != nil {
					return nil, nil, err
				}
				op, err := build(in)
				return op, func(i int) []byte { return verdict(in.Users[i].Accept) }, err
			})
		}
	}
	return nil
}

// world is a suite's data as values of package protocol.
type world struct {
	suite    *protocol.Suite
	in       *inputs.Protocol
	masters  []*protocol.MasterSecret
	verifier *protocol.Verifier
	users    []loadedUser
	batch    batchData
}

type loadedUser struct {
	id     *protocol.Identity
	secret *protocol.ClientSecret
	token  *protocol.Token
	pin    protocol.Factor
}

func newWorld(s *protocol.Suite, in *inputs.Protocol) (*world, error) {
	w := &world{suite: s, in: in}
	for _, b := range in.Masters {
		m, err := s.DecodeMasterSecret(b)
		if err != nil {
			return nil, err
		}
		w.masters = append(w.masters, m)
	}
	server, err := s.DecodeServerSecret(in.ServerSecret)
	if err != nil {
		return nil, err
	}
	if w.verifier, err = s.NewVerifier(server); err != nil {
		return nil, err
	}
	for _, u := range in.Users {
		var l loadedUser
		if l.id, err = s.Identity(u.Identity); err != nil {
			return nil, err
		}
		if l.secret, err = s.DecodeClientSecret(u.ClientSecret); err != nil {
			return nil, err
		}
		if l.token, err = s.DecodeToken(u.Token); err != nil {
			return nil, err
		}
		if l.pin, err = s.PIN(u.PIN); err != nil {
			return nil, err
		}
		w.users = append(w.users, l)
	}
	return w, nil
}

func (w *world) transcript(i int) *protocol.Transcript {
	u := &w.in.Users[i]
	return &protocol.Transcript{U: u.U, Y: u.Y, V: u.V}
}

func (w *world) accept(i int) []byte { return verdict(w.in.Users[i].Accept) }

// keepBytes makes an operation whose results are encodings.
func keepBytes(f func(i int) []byte) *direct.Op {
	var kept [Inputs][]byte
	return &direct.Op{Run: func(i int) { kept[i] = f(i) }, Result: func(i int) []byte { return kept[i] }}
}

// keepVerdictOp makes an operation whose results are truths.
func keepVerdictOp(f func(i int) bool) *direct.Op {
	run, result := keepVerdict(f)
	return &direct.Op{Run: run, Result: result}
}

var protocolOps = []protocolOp{
	{
		Operation: Operation{"IssueClientShare", "a D-TA hashes an identity and issues s_i·A, encoded"},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			return keepBytes(func(i int) []byte {
					id := must(w.suite.IdentityFromHash(w.in.Users[i].Hash))
					return must(w.masters[0].ClientShare(id)).Bytes()
				}), func(i int) []byte {
					// s·A less the other share.
					all := must(w.masters[1].ClientShare(w.users[i].id))
					p, q := must(w.suite.DecodeG1(w.in.Users[i].ClientSecret)), must(w.suite.DecodeG1(all.Bytes()))
					return w.suite.EncodeG1(p.Sub(q))
				}
		},
	},
	{
		Operation: Operation{"IssueServerShare", "a D-TA issues s_i·Q, encoded"},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			return keepBytes(func(int) []byte { return w.masters[0].ServerShare().Bytes() }),
				func(int) []byte {
					p, q := must(w.suite.DecodeG2(w.in.ServerSecret)), must(w.suite.DecodeG2(w.masters[1].ServerShare().Bytes()))
					return w.suite.EncodeG2(p.Sub(q))
				}
		},
	},
	{
		Operation: Operation{"IssuePermitShare", "a D-TA hashes an identity and a day and issues s_i·A_T, encoded"},
		needs:     func(s *protocol.Suite) bool { return s.ID().TimePermits() },
		build: func(w *world) (*direct.Op, func(int) []byte) {
			return keepBytes(func(i int) []byte {
					id := must(w.suite.IdentityFromHash(w.in.Users[i].Hash))
					return must(w.masters[0].PermitShare(id, w.in.Date)).Bytes()
				}), func(i int) []byte {
					k := must(w.suite.DecodeScalar(w.in.Masters[0]))
					return w.suite.EncodeG1(must(w.users[i].id.PermitPoint(w.in.Date)).Mul(k))
				}
		},
	},
	{
		Operation: Operation{"SetPIN", "a client takes the PIN out of its secret, identity point at hand; token encoded"},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			return keepBytes(func(i int) []byte {
				u := &w.users[i]
				return must(u.secret.Token(u.id, u.pin)).Bytes()
			}), func(i int) []byte { return w.in.Users[i].Token }
		},
	},
	{
		Operation: Operation{"ClientPass1", "a client restores its secret from token and PIN, draws x and sends U, encoded; identity point at hand"},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			var kept [Inputs]*protocol.Prover
			return &direct.Op{
				Run: func(i int) {
					u := &w.users[i]
					kept[i] = must(w.suite.NewProver(u.id, must(u.token.Secret(u.id, u.pin)), nil, nil))
				},
				Result: func(i int) []byte {
					// The proof that begins so must be accepted.
					c := must(w.verifier.Challenge(w.users[i].id, kept[i].Pass1(), 0, nil))
					return verdict(c.Verify(must(kept[i].Pass2(c.Y()))) == nil)
				},
			}, func(int) []byte { return verdict(true) }
		},
	},
	{
		Operation: Operation{"ClientPass2", "a client answers a challenge with V, encoded"},
		build:     buildClientPass2,
	},
	{
		Operation: Operation{"ServerVerify", "the server judges a login from bytes: hashes the identity, decodes U and V with curve and subgroup checks, and evaluates the equation"},
		build:     func(w *world) (*direct.Op, func(int) []byte) { return w.verify(w.verifier), w.accept },
	},
	{
		Operation: Operation{"ServerVerifyCached", "ServerVerify with the identity's point at hand"},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			return keepVerdictOp(func(i int) bool {
				return w.verifier.Verify(w.users[i].id, w.transcript(i)) == nil
			}), w.accept
		},
	},
	{
		Operation: Operation{"ServerVerifyPlain", "ServerVerify without preparing the two points of G2, on backends that can prepare them"},
		needs: func(s *protocol.Suite) bool {
			b := s.Backend()
			return needs[backends.FixedG2](b) && needs[backends.Hasher](b) && needs[backends.Encoder](b) && needs[backends.ShortScalar](b)
		},
		build: func(w *world) (*direct.Op, func(int) []byte) {
			s := must(protocol.New(w.suite.ID(), withoutFixedG2(w.suite.Backend())))
			v := must(s.NewVerifier(must(s.DecodeServerSecret(w.in.ServerSecret))))
			plain := &world{suite: s, in: w.in}
			return plain.verify(v), w.accept
		},
	},
}

// verify is ServerVerify on the given verifier.
func (w *world) verify(v *protocol.Verifier) *direct.Op {
	return keepVerdictOp(func(i int) bool {
		id, err := w.suite.Identity(w.in.Users[i].Identity)
		return err == nil && v.Verify(id, w.transcript(i)) == nil
	})
}

// buildClientPass2 prepares a prover for every run, because each answers once.
func buildClientPass2(w *world) (*direct.Op, func(int) []byte) {
	var provers []*protocol.Prover
	var next int
	var kept [Inputs]struct {
		prover *protocol.Prover
		v      []byte
	}
	return &direct.Op{
		Prepare: func(first, n int) {
			provers, next = provers[:0], 0
			for i := range n {
				u := &w.users[(first+i)%Inputs]
				provers = append(provers, must(w.suite.NewProver(u.id, u.secret, nil, nil)))
			}
		},
		Run: func(i int) {
			p := provers[next]
			next++
			kept[i].prover, kept[i].v = p, must(p.Pass2(w.in.Users[i].Y))
		},
		Result: func(i int) []byte {
			t := &protocol.Transcript{U: kept[i].prover.Pass1().U, Y: w.in.Users[i].Y, V: kept[i].v}
			return verdict(w.verifier.Verify(w.users[i].id, t) == nil)
		},
	}, func(int) []byte { return verdict(true) }
}

// withoutFixedG2 hides the capability of preparing points of G2 and leaves
// what else the protocol asks for.
func withoutFixedG2(b backends.Backend) backends.Backend {
	type plain struct {
		backends.Backend
		backends.Hasher
		backends.Encoder
		backends.ShortScalar
	}
	return plain{b, b.(backends.Hasher), b.(backends.Encoder), b.(backends.ShortScalar)}
}
