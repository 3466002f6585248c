package protocol_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/big"
	"math/rand"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
	"mpinlab/protocol"
)

// bound begins a login of a user under a permit and proves that U and U_T
// belong together.
func (w *world) bound(u *user, pin int, date protocol.Date) (*protocol.Prover, []byte) {
	p := w.prover(u, pin, w.permit(u.id, date))
	return p, must(p.ProveBinding(w.rng))
}

func leaveOutPermitless(t *testing.T, s *protocol.Suite) {
	t.Helper()
	if !s.ID().TimePermits() {
		t.Skip("no time permits")
	}
}

func TestBindingProofsHold(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		onceOnReference(t, s)
		leaveOutPermitless(t, s)
		w := newWorld(s, rng, 1)
		for range cases {
			u, date := w.user("alice@example.com"), protocol.Date(1+rng.Int31n(1<<20))
			p, proof := w.bound(u, u.pin, date)
			is(t, "a proof", s.VerifyBinding(u.id, date, p.Pass1(), proof), nil)
			again := must(p.ProveBinding(rng))
			if bytes.Equal(again, proof) {
				t.Error("one draw for two proofs")
			}
			is(t, "a second proof", s.VerifyBinding(u.id, date, p.Pass1(), again), nil)
			is(t, "the login all the same", w.login(p, u.id, date), nil)
		}
	})
}

// TestBindingProofIsAsDocumented computes a proof from x and t with integers
// and the hash alone.
func TestBindingProofIsAsDocumented(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		onceOnReference(t, s)
		leaveOutPermitless(t, s)
		w := newWorld(s, rng, 1)
		id := w.identity("alice@example.com")
		const date = 20780
		x, k := must(s.NewMasterSecret(rng)).Bytes(), must(s.NewMasterSecret(rng)).Bytes()
		p := must(s.NewProver(id, w.clientSecret(id), w.permit(id, date), drawing(s, x)))
		got := must(p.ProveBinding(drawing(s, k)))

		a := id.Point()
		at := a.Add(must(id.PermitPoint(date)))
		name := s.ID().String()
		msg := append([]byte{byte(len(name))}, name...)
		sized := func(b []byte) { msg = append(binary.BigEndian.AppendUint16(msg, uint16(len(b))), b...) }
		sized(id.Hash())
		msg = binary.BigEndian.AppendUint32(msg, date)
		for _, part := range []struct {
			p backends.G1
			k []byte
		}{{a, x}, {at, x}, {a, k}, {at, k}} {
			sized(s.EncodeG1(part.p.Mul(must(s.DecodeScalar(part.k)))))
		}
		c := must(h2c.ExpandMessageXMD([]byte("MPIN-V01-CS01-BIND"), msg, 16))
		z := new(big.Int).Mul(new(big.Int).SetBytes(c), new(big.Int).SetBytes(x))
		z.Mod(z.Add(z, new(big.Int).SetBytes(k)), s.ID().Curve.Params().R)
		if want := append(c, z.FillBytes(make([]byte, len(x)))...); !bytes.Equal(got, want) {
			t.Errorf("%x, not %x", got, want)
		}
	})
}

func TestBindingProofsAreBound(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		leaveOutReference(t, s)
		leaveOutPermitless(t, s)
		w := newWorld(s, rng, 1)
		u, eve := w.user("alice@example.com"), w.identity("eve@example.com")
		const date = 20000
		p, proof := w.bound(u, u.pin, date)
		q, others := w.bound(u, u.pin, date)
		m, n := p.Pass1(), q.Pass1()
		refused := func(what string, id *protocol.Identity, date protocol.Date, m protocol.Pass1, proof []byte, want error) {
			t.Helper()
			is(t, what, s.VerifyBinding(id, date, m, proof), want)
		}
		refused("another identity", eve, date, m, proof, protocol.ErrUnbound)
		refused("another day", u.id, date+1, m, proof, protocol.ErrUnbound)
		refused("another login's proof", u.id, date, m, others, protocol.ErrUnbound)
		refused("another login's U", u.id, date, protocol.Pass1{U: n.U, UT: m.UT}, proof, protocol.ErrUnbound)
		refused("another login's U_T", u.id, date, protocol.Pass1{U: m.U, UT: n.UT}, proof, protocol.ErrUnbound)
		refused("U and U_T exchanged", u.id, date, protocol.Pass1{U: m.UT, UT: m.U}, proof, protocol.ErrUnbound)
		refused("zero proof", u.id, date, m, make([]byte, len(proof)), protocol.ErrUnbound)
		refused("no proof", u.id, date, m, nil, backends.ErrLength)
		refused("short proof", u.id, date, m, proof[1:], backends.ErrLength)
		refused("long proof", u.id, date, m, append(bytes.Clone(proof), 0), backends.ErrLength)
		r := s.ID().Curve.Params().R.FillBytes(make([]byte, len(proof)-16))
		refused("z is r", u.id, date, m, slices.Concat(proof[:16], r), backends.ErrNotCanonical)
		refused("no U", u.id, date, protocol.Pass1{UT: m.UT}, proof, backends.ErrLength)
		refused("no U_T", u.id, date, protocol.Pass1{U: m.U}, proof, backends.ErrLength)
		g := s.Backend().G1()
		identity := s.EncodeG1(g.Sub(g))
		refused("U is the identity", u.id, date, protocol.Pass1{U: identity, UT: m.UT}, proof, protocol.ErrIdentityPoint)
		refused("U_T is the identity", u.id, date, protocol.Pass1{U: m.U, UT: identity}, proof, protocol.ErrIdentityPoint)
		for _, stray := range strayG1(s) {
			refused("U outside the subgroup", u.id, date, protocol.Pass1{U: stray, UT: m.UT}, proof, backends.ErrNotInSubgroup)
			refused("U_T outside the subgroup", u.id, date, protocol.Pass1{U: m.U, UT: stray}, proof, backends.ErrNotInSubgroup)
		}
		refused("no day", u.id, 0, m, proof, protocol.ErrDate)
		refused("negative day", u.id, -1, m, proof, protocol.ErrDate)
		for range 4 * cases {
			changed := bytes.Clone(proof)
			changed[rng.Intn(len(changed))] ^= 1 << rng.Intn(8)
			if s.VerifyBinding(u.id, date, m, changed) == nil {
				t.Errorf("accepted the proof %x for %x", changed, proof)
			}
		}
		if s.ID().Dialect == protocol.RFC9380 {
			compressed := func(b []byte) []byte { return must(s.DecodeG1(b)).BytesCompressed() }
			refused("compressed points", u.id, date, protocol.Pass1{U: compressed(m.U), UT: compressed(m.UT)}, proof, nil)
		}
	})
}

func TestProveBindingRefuses(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(61)), 1)
	u := w.user("alice@example.com")
	_, err := w.prover(u, u.pin, nil).ProveBinding(w.rng)
	is(t, "no permit", err, protocol.ErrDate)
	p := w.prover(u, u.pin, w.permit(u.id, 7))
	_, err = p.ProveBinding(iotest.ErrReader(io.ErrUnexpectedEOF))
	is(t, "no randomness", err, io.ErrUnexpectedEOF)
	proof := must(p.ProveBinding(nil))
	is(t, "login", w.login(p, u.id, 7), nil)
	_, err = p.ProveBinding(nil)
	is(t, "after pass 2", err, protocol.ErrUsed)
	is(t, "the proof outlives the prover", s.VerifyBinding(u.id, 7, p.Pass1(), proof), nil)

	core := suiteOn(t, "miracl-core/fp256bn", "miracl/fp256bn")
	c := newWorld(core, rand.New(rand.NewSource(62)), 1)
	v := c.user("alice@example.com")
	q := c.prover(v, v.pin, nil)
	_, err = q.ProveBinding(nil)
	is(t, "no permits in the dialect", err, protocol.ErrNoPermits)
	for _, date := range []protocol.Date{0, 7} {
		is(t, "verifying there", core.VerifyBinding(v.id, date, q.Pass1(), proof), protocol.ErrNoPermits)
	}
	is(t, "foreign identity", s.VerifyBinding(v.id, 7, p.Pass1(), proof), protocol.ErrSuiteMismatch)
}

// TestProveBindingBesidePass2 has both called at once: either the proof is made
// and holds, or the prover was used before.
func TestProveBindingBesidePass2(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(63)), 1)
	u := w.user("alice@example.com")
	permit := w.permit(u.id, 7)
	for range 8 {
		p := w.prover(u, u.pin, permit)
		var proof []byte
		var failed error
		var both sync.WaitGroup
		both.Go(func() { proof, failed = p.ProveBinding(nil) })
		both.Go(func() { must(p.Pass2(s.EncodeScalar(backends.SmallScalar(s.Backend(), 5)))) })
		both.Wait()
		if failed != nil {
			is(t, "too late", failed, protocol.ErrUsed)
			continue
		}
		is(t, "in time", s.VerifyBinding(u.id, 7, p.Pass1(), proof), nil)
	}
}

// FuzzVerifyBinding hands hostile messages and proofs to the server: for given U
// and U_T none but the proofs that were made for them may hold.
func FuzzVerifyBinding(f *testing.F) {
	s := fastSuite(f)
	w := newWorld(s, rand.New(rand.NewSource(64)), 1)
	u := w.user("alice@example.com")
	p, proof := w.bound(u, u.pin, 20000)
	m := p.Pass1()
	f.Add(int32(20000), m.U, m.UT, proof)
	f.Add(int32(0), []byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, date int32, a, b, c []byte) {
		err := s.VerifyBinding(u.id, protocol.Date(date), protocol.Pass1{U: a, UT: b}, c)
		if err == nil && !(date == 20000 && samePoint(s, a, m.U) && samePoint(s, b, m.UT) && bytes.Equal(c, proof)) {
			t.Errorf("accepted %x for %x, %x on %d", c, a, b, date)
		}
	})
}
