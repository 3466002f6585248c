package protocol_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

// eachSuite runs f for every suite on every backend that serves it, with a
// number of cases that suits the backend's speed.
func eachSuite(t *testing.T, f func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int)) {
	t.Helper()
	for _, b := range all.Backends() {
		for _, id := range protocol.SuiteIDs() {
			if id.Curve != b.Info().Curve {
				continue
			}
			s, err := protocol.New(id, b)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(id.Dialect.String()+" on "+b.Info().ID, func(t *testing.T) {
				t.Parallel()
				seed := time.Now().UnixNano()
				t.Cleanup(func() {
					if t.Failed() {
						t.Logf("seed %d", seed)
					}
				})
				f(t, s, rand.New(rand.NewSource(seed)), casesFor(b))
			})
		}
	}
}

func casesFor(b backends.Backend) int {
	switch {
	case testing.Short(), strings.HasPrefix(b.Info().ID, "reference/"):
		return 1
	case b.Info().Curve == backends.FP256BN, b.Info().Curve == backends.BW6633, b.Info().Curve == backends.BW6761:
		return 2
	}
	return 5
}

// world is a deployment and one of its users.
type world struct {
	suite    *protocol.Suite
	masters  []*protocol.MasterSecret
	server   *protocol.ServerSecret
	verifier *protocol.Verifier
	rng      *rand.Rand
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newWorld(s *protocol.Suite, rng *rand.Rand, authorities int) *world {
	w := &world{suite: s, rng: rng}
	var shares []*protocol.ServerSecret
	for range authorities {
		m := must(s.NewMasterSecret(rng))
		w.masters = append(w.masters, m)
		shares = append(shares, m.ServerShare())
	}
	w.server = must(protocol.CombineServerSecrets(shares...))
	w.verifier = must(s.NewVerifier(w.server))
	return w
}

func (w *world) identity(id string) *protocol.Identity { return must(w.suite.Identity([]byte(id))) }

func (w *world) clientSecret(id *protocol.Identity) *protocol.ClientSecret {
	var shares []*protocol.ClientSecret
	for _, m := range w.masters {
		shares = append(shares, must(m.ClientShare(id)))
	}
	return must(protocol.CombineClientSecrets(shares...))
}

func (w *world) permit(id *protocol.Identity, date protocol.Date) *protocol.Permit {
	if date == 0 {
		return nil
	}
	var shares []*protocol.Permit
	for _, m := range w.masters {
		shares = append(shares, must(m.PermitShare(id, date)))
	}
	return must(protocol.CombinePermits(shares...))
}

// pin returns a factor that differs from all PINs of other numbers in every
// dialect.
func (w *world) pin(number int) protocol.Factor {
	return must(w.suite.PIN(fmt.Sprintf("%04d", number)))
}

// user is someone with a token and a PIN.
type user struct {
	id    *protocol.Identity
	token *protocol.Token
	pin   int
}

func (w *world) user(name string) *user {
	id := w.identity(name)
	pin := w.rng.Intn(10000)
	return &user{id, must(w.clientSecret(id).Token(id, w.pin(pin))), pin}
}

// prover begins a login with the given PIN and permit.
func (w *world) prover(u *user, pin int, permit *protocol.Permit) *protocol.Prover {
	return must(w.suite.NewProver(u.id, must(u.token.Secret(u.id, w.pin(pin))), permit, w.rng))
}

// login runs both passes and returns the verdict.
func (w *world) login(p *protocol.Prover, id *protocol.Identity, date protocol.Date) error {
	c, err := w.verifier.Challenge(id, p.Pass1(), date, w.rng)
	if err != nil {
		return err
	}
	v, err := p.Pass2(c.Y())
	if err != nil {
		return err
	}
	return c.Verify(v)
}

// dates are the ways in which a login may use time permits in the suite.
func dates(s *protocol.Suite) []protocol.Date {
	if s.ID().TimePermits() {
		return []protocol.Date{0, 20000}
	}
	return []protocol.Date{0}
}
