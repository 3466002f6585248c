package protocol_test

import (
	"bytes"
	"errors"
	"math/rand"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/protocol"
)

func TestRightPINAccepts(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		for range cases {
			w := newWorld(s, rng, 1+rng.Intn(3))
			u := w.user("alice@example.com")
			for _, date := range dates(s) {
				if err := w.login(w.prover(u, u.pin, w.permit(u.id, date)), u.id, date); err != nil {
					t.Errorf("%d authorities, %s: %v", len(w.masters), date, err)
				}
			}
		}
	})
}

// TestWrongRejects changes one thing at a time. Each must be ErrRejected: well
// formed, and wrong.
func TestWrongRejects(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 2)
		u, eve := w.user("alice@example.com"), w.user("eve@example.com")
		other := newWorld(s, rng, 2)
		for _, date := range dates(s) {
			permit := w.permit(u.id, date)
			rejected := func(what string, p *protocol.Prover, id *protocol.Identity, date protocol.Date) {
				t.Helper()
				if err := w.login(p, id, date); !errors.Is(err, protocol.ErrRejected) {
					t.Errorf("%s, %s: %v", what, date, err)
				}
			}
			for range cases {
				wrong := (u.pin + 1 + rng.Intn(9999)) % 10000
				rejected("wrong PIN", w.prover(u, wrong, permit), u.id, date)
			}
			rejected("another's token", w.prover(&user{u.id, eve.token, u.pin}, u.pin, permit), u.id, date)
			rejected("claimed identity", w.prover(u, u.pin, permit), eve.id, date)
			rejected("token of another deployment", w.prover(other.user("alice@example.com"), 0, permit), u.id, date)
			if date == 0 {
				continue
			}
			rejected("no permit asked for", w.prover(u, u.pin, w.permit(u.id, date+1)), u.id, date)
			rejected("permit of another day", w.prover(u, u.pin, w.permit(u.id, date-1)), u.id, date)
			rejected("another's permit", w.prover(u, u.pin, w.permit(eve.id, date)), u.id, date)
			rejected("day of the server", w.prover(u, u.pin, permit), u.id, date+1)
		}
	})
}

// TestTranscriptIsBound flips bits of U, y and V in transcripts that were
// accepted: none may be accepted again.
func TestTranscriptIsBound(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		for _, date := range dates(s) {
			tr := w.transcript(t, u, date)
			for range 4 * cases {
				for _, field := range []func(*protocol.Transcript) *[]byte{
					func(t *protocol.Transcript) *[]byte { return &t.U },
					func(t *protocol.Transcript) *[]byte { return &t.Y },
					func(t *protocol.Transcript) *[]byte { return &t.V },
				} {
					changed := *tr
					b := bytes.Clone(*field(&changed))
					b[rng.Intn(len(b))] ^= 1 << rng.Intn(8)
					*field(&changed) = b
					if w.verifier.Verify(u.id, &changed) == nil {
						t.Fatalf("accepted after a bit flip: %x", b)
					}
				}
			}
			// A well-formed other challenge, answer or commitment.
			again := w.transcript(t, u, date)
			for what, mixed := range map[string]*protocol.Transcript{
				"another challenge":  {Date: date, U: tr.U, Y: again.Y, V: tr.V},
				"another answer":     {Date: date, U: tr.U, Y: tr.Y, V: again.V},
				"another commitment": {Date: date, U: again.U, Y: tr.Y, V: tr.V},
			} {
				if err := w.verifier.Verify(u.id, mixed); !errors.Is(err, protocol.ErrRejected) {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	})
}

// transcript runs a login that must be accepted and returns what the server
// saw.
func (w *world) transcript(t *testing.T, u *user, date protocol.Date) *protocol.Transcript {
	t.Helper()
	p := w.prover(u, u.pin, w.permit(u.id, date))
	y := w.suite.EncodeScalar(must(w.suite.DecodeScalar(must(w.suite.NewMasterSecret(w.rng)).Bytes())))
	tr := &protocol.Transcript{Date: date, U: p.Pass1().U, Y: y, V: must(p.Pass2(y))}
	if date != 0 {
		tr.U = p.Pass1().UT
	}
	if err := w.verifier.Verify(u.id, tr); err != nil {
		t.Fatalf("a good transcript: %v", err)
	}
	return tr
}

func TestSharesCombineInAnyOrderAndGrouping(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 4)
		id := w.identity("alice@example.com")
		whole := must(protocol.CombineMasterSecrets(w.masters...))
		secret := must(whole.ClientShare(id)).Bytes()
		server := whole.ServerShare().Bytes()
		for range cases {
			order := rng.Perm(len(w.masters))
			cut := 1 + rng.Intn(len(order)-1)
			var left, right []*protocol.ClientSecret
			var serverLeft, serverRight []*protocol.ServerSecret
			for i, at := range order {
				c, q := must(w.masters[at].ClientShare(id)), w.masters[at].ServerShare()
				if i < cut {
					left, serverLeft = append(left, c), append(serverLeft, q)
				} else {
					right, serverRight = append(right, c), append(serverRight, q)
				}
			}
			sum := must(protocol.CombineClientSecrets(must(protocol.CombineClientSecrets(left...)), must(protocol.CombineClientSecrets(right...))))
			if !bytes.Equal(sum.Bytes(), secret) {
				t.Errorf("client shares in order %v cut at %d do not make s·A", order, cut)
			}
			serverSum := must(protocol.CombineServerSecrets(must(protocol.CombineServerSecrets(serverLeft...)), must(protocol.CombineServerSecrets(serverRight...))))
			if !bytes.Equal(serverSum.Bytes(), server) {
				t.Errorf("server shares in order %v cut at %d do not make s·Q", order, cut)
			}
			if s.ID().TimePermits() {
				var shares []*protocol.Permit
				for _, at := range order {
					shares = append(shares, must(w.masters[at].PermitShare(id, 7)))
				}
				sum := must(protocol.CombinePermits(must(protocol.CombinePermits(shares[:cut]...)), must(protocol.CombinePermits(shares[cut:]...))))
				if !bytes.Equal(sum.Bytes(), must(whole.PermitShare(id, 7)).Bytes()) {
					t.Errorf("permit shares in order %v cut at %d do not make s·A_T", order, cut)
				}
			}
		}
	})
}

func TestFactorsInAnyOrder(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		secret := w.clientSecret(id)
		phrase, device := must(s.HashedFactor([]byte("correct horse"))), must(s.HashedFactor([]byte{0, 1, 2, 3}))
		factors := []protocol.Factor{w.pin(1234), phrase, device, w.pin(0)}
		for range cases {
			out, in := rng.Perm(len(factors)), rng.Perm(len(factors))
			token := must(secret.Token(id))
			for _, i := range out {
				token = must(token.Remove(id, factors[i]))
			}
			if bytes.Equal(token.Bytes(), secret.Bytes()) {
				t.Error("the token is the secret")
			}
			again := must(s.DecodeToken(token.Bytes()))
			var back []protocol.Factor
			for _, i := range in {
				back = append(back, factors[i])
			}
			if got := must(again.Secret(id, back...)); !bytes.Equal(got.Bytes(), secret.Bytes()) {
				t.Errorf("factors out in order %v, in in order %v: not the secret", out, in)
			}
			if got := must(again.Secret(id, back[1:]...)); bytes.Equal(got.Bytes(), secret.Bytes()) && in[0] != 3 {
				t.Error("a factor is not needed")
			}
		}
	})
}

// TestEveryWrongPINRejects is the same on one fast suite over PINs of every
// length, stated as a property.
func TestEveryWrongPINRejects(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(1)), 2)
	id := w.identity("bob@example.com")
	secret := w.clientSecret(id)
	digits := gen.RegexMatch(`^[0-9]{4,12}$`)
	p := gopter.DefaultTestParameters()
	p.MinSuccessfulTests = 40
	properties := gopter.NewProperties(p)
	properties.Property("accepted iff the PINs are the same number", prop.ForAll(func(set, entered string) bool {
		token := must(secret.Token(id, must(s.PIN(set))))
		whole := must(token.Secret(id, must(s.PIN(entered))))
		err := w.login(must(s.NewProver(id, whole, nil, w.rng)), id, 0)
		if number(set) == number(entered) {
			return err == nil
		}
		return errors.Is(err, protocol.ErrRejected)
	}, digits, gen.OneGenOf(digits, gen.OneConstOf("0000", "9999", "00000", "999999999999", "1000"))))
	properties.Property("the right PIN is accepted", prop.ForAll(func(set string) bool {
		token := must(secret.Token(id, must(s.PIN(set))))
		whole := must(token.Secret(id, must(s.PIN(set))))
		return w.login(must(s.NewProver(id, whole, nil, w.rng)), id, 0) == nil
	}, digits))
	properties.TestingRun(t)
}

func number(digits string) (v int) {
	for _, d := range digits {
		v = 10*v + int(d-'0')
	}
	return v
}
