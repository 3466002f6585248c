package protocol_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"math/rand"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// fullRun is a run of M-Pin Full up to the verdict; the functions may change
// the messages on their way.
type fullRun struct {
	first   func(*protocol.FullPass1)
	reply   func(*protocol.FullReply)
	answer  func([]byte) []byte
	claimed *protocol.Identity
}

// do returns the keys of both sides; the client's is nil if it stopped, the
// server's if it rejected, with the reason.
func (r fullRun) do(w *world, u *user, pin int, date protocol.Date) (client, server *protocol.SharedKey, err error) {
	prover, err := must(w.suite.NewFullToken(u.id, u.token)).Prover(w.permit(u.id, date), w.rng, w.pin(pin))
	if err != nil {
		return nil, nil, err
	}
	first := prover.Pass1()
	if r.first != nil {
		r.first(&first)
	}
	id := u.id
	if r.claimed != nil {
		id = r.claimed
	}
	challenge, err := w.verifier.FullChallenge(id, first, date, w.rng)
	if err != nil {
		return nil, nil, err
	}
	reply := challenge.Reply()
	if r.reply != nil {
		r.reply(&reply)
	}
	v, client, err := prover.Pass2(reply)
	if err != nil {
		return nil, nil, err
	}
	if r.answer != nil {
		v = r.answer(v)
	}
	server, err = challenge.Verify(v)
	return client, server, err
}

func TestFullAgreesOnAKey(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		if !s.HasFull() {
			_, err := s.NewFullToken(u.id, u.token)
			is(t, "a token", err, protocol.ErrNoFull)
			_, err = w.verifier.FullChallenge(u.id, protocol.FullPass1{}, 0, rng)
			is(t, "a challenge", err, protocol.ErrNoFull)
			return
		}
		seen := map[string]bool{}
		for _, date := range dates(s) {
			for range min(cases, 2) {
				client, server, err := fullRun{}.do(w, u, u.pin, date)
				if err != nil {
					t.Fatalf("%s: %v", date, err)
				}
				a, err := client.Confirm(server.Tag())
				is(t, "server's tag", err, nil)
				b, err := server.Confirm(client.Tag())
				is(t, "client's tag", err, nil)
				if len(a) != 16 || !bytes.Equal(a, b) || seen[string(a)] {
					t.Errorf("%s: keys %x and %x", date, a, b)
				}
				seen[string(a)] = true
			}
			client, server, err := fullRun{}.do(w, u, wrongPIN(u.pin, rng), date)
			is(t, "wrong PIN", err, protocol.ErrRejected)
			if server != nil || client == nil {
				t.Errorf("%s: a key after a wrong PIN", date)
			}
		}
	})
}

// TestFullIsDefinedWhereItShouldBe fixes the list of suites with M-Pin Full.
func TestFullIsDefinedWhereItShouldBe(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, _ *rand.Rand, _ int) {
		_, pairs := s.Backend().(backends.Pairer)
		want := pairs && s.ID().Dialect == protocol.RFC9380
		if s.ID().Dialect == protocol.Milagro {
			switch s.ID().Curve {
			case backends.FP256BN, backends.BN254N, backends.BN254CX:
				want = pairs
			}
		}
		if s.HasFull() != want {
			t.Errorf("HasFull is %v", s.HasFull())
		}
	})
}

// TestFullKeyIsAsDocumented computes the rfc9380 key by hand from the
// documented formula.
func TestFullKeyIsAsDocumented(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(1)), 2)
	u := w.user("alice@example.com")
	b := s.Backend()
	x, r, ws := must(backends.RandomScalar(b, w.rng)), must(backends.RandomScalar(b, w.rng)), must(backends.RandomScalar(b, w.rng))
	a := u.id.Point()
	tr := &protocol.FullTranscript{
		Transcript: protocol.Transcript{U: a.Mul(x).Bytes(), Y: ws.Bytes(), V: a.Neg().Bytes()}, R: a.Mul(r).Bytes(), W: a.Mul(ws).Bytes()}
	τ := must(s.FullTranscriptHash(u.id, tr))
	if len(τ) != 48 {
		t.Errorf("a transcript's hash of %d bytes", len(τ))
	}
	secret := must(s.DecodeG1(w.clientSecret(u.id).Bytes()))
	g := b.(backends.Pairer).Pair([]backends.G1{secret}, []backends.G2{b.G2()}).Exp(r.Add(b.ReduceScalar(τ)))
	key := must(hkdf.Key(sha256.New, append(g.Bytes(), a.Mul(x.Mul(ws)).Bytes()...), τ, "MPIN-V01-CS01-FULL-KEY", 16))
	ready := must(s.NewFullToken(u.id, u.token))
	if got := must(ready.Key(tr, x.Bytes(), r.Bytes(), w.pin(u.pin))).Unconfirmed(); !bytes.Equal(got, key) {
		t.Errorf("client: %x, not %x", got, key)
	}
	if got := must(w.verifier.FullKey(u.id, tr, ws.Bytes())).Unconfirmed(); !bytes.Equal(got, key) {
		t.Errorf("server: %x, not %x", got, key)
	}
	// The encoding on the way does not matter.
	short := *tr
	short.U, short.R, short.W = a.Mul(x).BytesCompressed(), a.Mul(r).BytesCompressed(), a.Mul(ws).BytesCompressed()
	if got := must(w.verifier.FullKey(u.id, &short, ws.Bytes())).Unconfirmed(); !bytes.Equal(got, key) {
		t.Errorf("server, compressed: %x, not %x", got, key)
	}
}

func TestFullHostileMessages(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(2)), 2)
	u := w.user("alice@example.com")
	g := s.Backend().G1()
	identity := s.EncodeG1(g.Sub(g))
	for _, c := range []struct {
		what string
		run  fullRun
		want error
	}{
		{"R is the identity", fullRun{first: func(m *protocol.FullPass1) { m.R = identity }}, protocol.ErrIdentityPoint},
		{"no R", fullRun{first: func(m *protocol.FullPass1) { m.R = nil }}, backends.ErrLength},
		{"U is the identity", fullRun{first: func(m *protocol.FullPass1) { m.U = identity }}, protocol.ErrIdentityPoint},
		{"W is the identity", fullRun{reply: func(m *protocol.FullReply) { m.W = identity }}, protocol.ErrIdentityPoint},
		{"no W", fullRun{reply: func(m *protocol.FullReply) { m.W = nil }}, backends.ErrLength},
		{"y is zero", fullRun{reply: func(m *protocol.FullReply) { m.Y = make([]byte, 32) }}, protocol.ErrZeroScalar},
		{"V is the identity", fullRun{answer: func([]byte) []byte { return identity }}, protocol.ErrIdentityPoint},
	} {
		_, server, err := c.run.do(w, u, u.pin, 0)
		is(t, c.what, err, c.want)
		if server != nil {
			t.Errorf("%s: a key", c.what)
		}
	}
	other := newWorld(suiteOn(t, "rfc9380/bn254", "gnark/bn254"), w.rng, 1)
	ou := other.user("alice@example.com")
	_, err := s.NewFullToken(ou.id, ou.token)
	is(t, "a foreign token", err, protocol.ErrSuiteMismatch)
	_, err = must(s.NewFullToken(u.id, u.token)).Prover(nil, nil, other.pin(1))
	is(t, "a foreign factor", err, protocol.ErrSuiteMismatch)
	_, err = w.verifier.FullChallenge(ou.id, protocol.FullPass1{}, 0, nil)
	is(t, "a foreign identity", err, protocol.ErrSuiteMismatch)
}

// FuzzFullChallenge hands hostile first messages and answers to the server.
func FuzzFullChallenge(f *testing.F) {
	s := fastSuite(f)
	w := newWorld(s, rand.New(rand.NewSource(3)), 2)
	u := w.user("alice@example.com")
	first := must(must(s.NewFullToken(u.id, u.token)).Prover(nil, w.rng, w.pin(u.pin))).Pass1()
	f.Add(first.U, first.R, first.U)
	f.Add(first.U, first.U[:95], []byte{})
	f.Fuzz(func(t *testing.T, commitment, r, v []byte) {
		m := protocol.FullPass1{Pass1: protocol.Pass1{U: commitment}, R: r}
		c, err := w.verifier.FullChallenge(u.id, m, 0, nil)
		if err != nil {
			return
		}
		if key, err := c.Verify(v); err == nil || key != nil {
			t.Error("accepted")
		}
		if _, err := c.Verify(v); !errors.Is(err, protocol.ErrUsed) {
			t.Errorf("again: %v", err)
		}
	})
}
