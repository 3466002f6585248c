package leak

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Operation is an operation on a secret.
type Operation struct {
	Name string
	// Secret says which secret, and Doc what is timed.
	Secret, Doc string
	fixed       []string
	setup       func(w *world, fixed string) (*trial, error)
}

var (
	bothFixed  = []string{Drawn, Extreme}
	operations = []Operation{
		{"IssueClientShare", "the D-TA's share s_i", "a D-TA makes s_i·A", bothFixed, issue},
		{"ClientPass1", "x", "the client draws x and makes U = x·A", bothFixed, pass1},
		{"ClientPass2", "x + y", "the client makes V = −(x + y)·s·A", bothFixed, pass2},
		{"SetPIN", "the PIN", "the client reads four digits and takes the PIN out of s·A", bothFixed, setPIN},
		{"RestorePIN", "the PIN", "the client reads four digits and puts the PIN back into the token", bothFixed, restorePIN},
		{"DecodeToken", "the token", "the client reads its token", []string{Drawn}, decodeToken},
	}
)

// Operations lists the operations that are tested on every backend.
func Operations() []Operation { return operations }

func opNames() string {
	var names []string
	for _, o := range operations {
		names = append(names, o.Name)
	}
	return strings.Join(names, ", ")
}

// errNoSuite: no suite is served by the backend.
var errNoSuite = errors.New("no suite on this backend")

// protocolTargets are the operations on a backend, in the first suite that it
// serves.
func protocolTargets(b backends.Backend, op *regexp.Regexp) (list []Target, err error) {
	s, err := firstSuite(b)
	if err != nil {
		return nil, err
	}
	for _, o := range operations {
		if op != nil && !op.MatchString(o.Name) {
			continue
		}
		for _, fixed := range o.fixed {
			list = append(list, Target{Op: o.Name, Backend: b.Info().ID, Suite: s.ID().String(), Fixed: fixed,
				setup: func(rng *rand.ChaCha8) (*trial, error) {
					w, err := newWorld(s, rng)
					if err != nil {
						return nil, err
					}
					return o.setup(w, fixed)
				}})
		}
	}
	return list, nil
}

func firstSuite(b backends.Backend) (*protocol.Suite, error) {
	for _, id := range protocol.SuiteIDs() {
		if id.Curve == b.Info().Curve {
			return protocol.New(id, b)
		}
	}
	return nil, fmt.Errorf("%s: %w", b.Info().ID, errNoSuite)
}

// world is a user with everything that is the same for both classes.
type world struct {
	suite  *protocol.Suite
	rng    *rand.ChaCha8
	r      *big.Int
	id     *protocol.Identity
	secret *protocol.ClientSecret
}

func newWorld(s *protocol.Suite, rng *rand.ChaCha8) (*world, error) {
	w := &world{suite: s, rng: rng, r: s.ID().Curve.Params().R}
	id, err := s.Identity([]byte("alice@example.org"))
	if err != nil {
		return nil, err
	}
	m, err := s.NewMasterSecret(rng)
	if err != nil {
		return nil, err
	}
	w.id = id
	w.secret, err = m.ClientShare(id)
	return w, err
}

// wide returns random bytes as backends.RandomScalar reads them, 128 bits more
// than r has.
func (w *world) wide() []byte {
	b := make([]byte, (w.r.BitLen()+128+7)/8)
	w.rng.Read(b)
	return b
}

// fixedWide is wide for the fixed class: bytes that reduce to the fixed scalar
// and are as long as any.
func (w *world) fixedWide(fixed string) []byte {
	b := w.wide()
	if fixed == Drawn {
		return b
	}
	v := new(big.Int).SetBytes(b)
	v.Sub(v, new(big.Int).Mod(v, w.r)).Add(v, w.extreme())
	return v.FillBytes(b)
}

// extreme is 2^(n/2).
func (w *world) extreme() *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(w.r.BitLen()/2)) }

// scalar returns the encoding of wide bytes reduced.
func (w *world) scalar(wide []byte) []byte {
	return w.suite.EncodeScalar(w.suite.Backend().ReduceScalar(wide))
}

func issue(w *world, fixed string) (*trial, error) {
	secret := w.scalar(w.fixedWide(fixed))
	chosen := make([]byte, len(secret))
	var shares [batch]*protocol.MasterSecret
	return &trial{
		prepare: func(i int, isFixed bool) (err error) {
			choose(chosen, secret, w.scalar(w.wide()), isFixed)
			shares[i], err = w.suite.DecodeMasterSecret(chosen)
			return err
		},
		run: func(i int) error {
			_, err := shares[i].ClientShare(w.id)
			return err
		},
	}, nil
}

func pass1(w *world, fixed string) (*trial, error) {
	secret := w.fixedWide(fixed)
	var drawn [batch]bytes.Reader
	return &trial{
		prepare: func(i int, isFixed bool) error {
			chosen := make([]byte, len(secret))
			choose(chosen, secret, w.wide(), isFixed)
			drawn[i].Reset(chosen)
			return nil
		},
		run: func(i int) error {
			_, err := w.suite.NewProver(w.id, w.secret, nil, &drawn[i])
			return err
		},
	}, nil
}

// pass2 has one y for both classes, so that x + y is fixed where x is. For the
// extreme sum x is 2^(n/2) − y.
func pass2(w *world, fixed string) (*trial, error) {
	y := w.scalar(w.wide())
	secret := w.fixedWide(fixed)
	if fixed == Extreme {
		v := new(big.Int).SetBytes(secret)
		secret = v.Sub(v, new(big.Int).SetBytes(y)).FillBytes(secret)
	}
	var provers [batch]*protocol.Prover
	return &trial{
		prepare: func(i int, isFixed bool) (err error) {
			chosen := make([]byte, len(secret))
			choose(chosen, secret, w.wide(), isFixed)
			provers[i], err = w.suite.NewProver(w.id, w.secret, nil, bytes.NewReader(chosen))
			return err
		},
		run: func(i int) error {
			_, err := provers[i].Pass2(y)
			return err
		},
	}, nil
}

// digits returns a PIN: drawn, or 0000.
func (w *world) digits(kind string) []byte {
	n := w.rng.Uint64() % protocol.FourDigits
	if kind == Extreme {
		n = 0
	}
	return fmt.Appendf(nil, "%04d", n)
}

// pins prepares PINs for the runs of use.
func pins(w *world, fixed string, use func(f protocol.Factor) error) *trial {
	secret := w.digits(fixed)
	var entered [batch]string
	return &trial{
		prepare: func(i int, isFixed bool) error {
			chosen := make([]byte, len(secret))
			choose(chosen, secret, w.digits(Drawn), isFixed)
			entered[i] = string(chosen)
			return nil
		},
		run: func(i int) error {
			f, err := w.suite.PIN(entered[i])
			if err != nil {
				return err
			}
			return use(f)
		},
	}
}

func setPIN(w *world, fixed string) (*trial, error) {
	return pins(w, fixed, func(f protocol.Factor) error {
		_, err := w.secret.Token(w.id, f)
		return err
	}), nil
}

func restorePIN(w *world, fixed string) (*trial, error) {
	f, err := w.suite.PIN(string(w.digits(Drawn)))
	if err != nil {
		return nil, err
	}
	token, err := w.secret.Token(w.id, f)
	if err != nil {
		return nil, err
	}
	return pins(w, fixed, func(f protocol.Factor) error {
		_, err := token.Secret(w.id, f)
		return err
	}), nil
}

// token returns the encoding of a token under a master secret of its own.
func (w *world) token() []byte {
	return w.suite.EncodeG1(w.id.Point().Mul(w.suite.Backend().ReduceScalar(w.wide())))
}

func decodeToken(w *world, _ string) (*trial, error) {
	secret := w.token()
	var stored [batch][]byte
	return &trial{
		prepare: func(i int, isFixed bool) error {
			stored[i] = make([]byte, len(secret))
			choose(stored[i], secret, w.token(), isFixed)
			return nil
		},
		run: func(i int) error {
			_, err := w.suite.DecodeToken(stored[i])
			return err
		},
	}, nil
}
