package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// ErrUnbound: it is not shown that U and U_T were made with one x.
var ErrUnbound = errors.New("not shown that U and U_T belong together")

// A binding proof shows that in a pass 1 with a time permit U = x·A and
// U_T = x·(A + A_T) have one x. The verdict on such a log-in depends on U_T
// alone, but the PIN error is found by U, so that a thief with a token could
// send a false U and have his guesses of the PIN fail as if he had no token
// (see [Verifier.PINError]). It is the proof of Chaum and Pedersen, "Wallet
// databases with observers", CRYPTO 1992, without interaction:
//
//	c = expand_message_xmd(SHA-256, n ‖ h ‖ int32be(date) ‖ U ‖ U_T ‖ t·A ‖ t·(A + A_T),
//	                       "MPIN-V01-CS01-BIND", 16)
//	z = t + c·x
//
// for a random t; the verifier has t·A = z·A − c·U and the other alike. n is
// the suite's name after its length in one byte; h, the identity's hash, and
// points, in the suite's uncompressed encoding, come after theirs in two. A and
// A_T follow from n, h and the date. A proof is c ‖ z, 16 bytes and a scalar. It
// tells nothing about x, and whoever can make one for U and U_T with different
// logarithms has met a c that fits, one in 2^128 for each hash computed.
//
// What it proves is what was sent, not who sent it: no token is needed for it.

const (
	bindingDST       = "MPIN-V01-CS01-BIND"
	bindingChallenge = 16 // bytes of c
)

// ProveBinding returns a proof for the server that U and U_T of this pass 1
// belong together, to be sent with it. It draws from rand, or from the system's
// source where rand is nil: a draw that repeats that of x gives x away, and
// with V the secret. It must be called before Pass2, which drops x. Errors:
// ErrUsed after that; for a prover without a permit ErrDate, or ErrNoPermits
// where the dialect has none: there is nothing to bind then; and those of rand.
// Two multiplications; constant-time where the backend is.
func (p *Prover) ProveBinding(rand io.Reader) ([]byte, error) {
	s := p.suite
	a, err := p.id.permitLogin(p.date)
	if err != nil {
		return nil, fmt.Errorf("binding proof: %w", err)
	}
	p.mu.Lock()
	x := p.x
	p.mu.Unlock()
	if x == nil {
		return nil, fmt.Errorf("prover: %w", ErrUsed)
	}
	t, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	c, err := s.bindingHash(p.id, p.date, p.pass1.U, p.pass1.UT, p.id.point.Mul(t), a.Mul(t))
	if err != nil {
		return nil, err
	}
	z := t.Add(s.backend.ReduceScalar(c).Mul(x))
	return append(c, s.EncodeScalar(z)...), nil
}

// VerifyBinding checks the proof that came with a pass 1 of an identity under a
// permit of the given day. Errors: ErrUnbound; backends.ErrLength and
// backends.ErrNotCanonical for the proof; those of Suite.DecodeG1 for U and U_T;
// ErrSuiteMismatch, ErrNoPermits, and ErrDate for a date that is none, 0 too.
// Four multiplications, two of them short; variable-time, all of it is public.
//
// A server needs to look at a proof only when a log-in failed for which
// [Verifier.PINError] found no δ: that says what the proof is worth, and how a
// lock-out policy uses it.
func (s *Suite) VerifyBinding(id *Identity, date Date, m Pass1, proof []byte) error {
	if !s.same(id.suite) {
		return ErrSuiteMismatch
	}
	a, err := id.permitLogin(date)
	if err != nil {
		return fmt.Errorf("binding proof: %w", err)
	}
	_, _, scalar := s.id.Sizes()
	if len(proof) != bindingChallenge+scalar {
		return fmt.Errorf("binding proof: %w: %d bytes, not %d", backends.ErrLength, len(proof), bindingChallenge+scalar)
	}
	z, err := s.DecodeScalar(proof[bindingChallenge:])
	if err != nil {
		return fmt.Errorf("binding proof: %w", err)
	}
	u, err := s.DecodeG1(m.U)
	if err != nil {
		return fmt.Errorf("commitment U: %w", err)
	}
	ut, err := s.DecodeG1(m.UT)
	if err != nil {
		return fmt.Errorf("commitment U_T: %w", err)
	}
	c := s.backend.ReduceScalar(proof[:bindingChallenge])
	commitment := func(a, u backends.G1) backends.G1 {
		return a.Mul(z).Sub(s.group.mulShort(u, c, 8*bindingChallenge))
	}
	// U and U_T may have come compressed.
	want, err := s.bindingHash(id, date, s.EncodeG1(u), s.EncodeG1(ut), commitment(id.point, u), commitment(a, ut))
	if err != nil {
		return err
	}
	if !bytes.Equal(proof[:bindingChallenge], want) {
		return ErrUnbound
	}
	return nil
}

// permitLogin returns A + A_T, and not A for want of a day.
func (id *Identity) permitLogin(date Date) (backends.G1, error) {
	if date == 0 {
		return id.PermitPoint(date) // an error
	}
	return id.loginPoint(date)
}

// bindingHash is c of the statement and the commitments t·A and t·(A + A_T).
func (s *Suite) bindingHash(id *Identity, date Date, u, ut []byte, ta, tat backends.G1) ([]byte, error) {
	name := s.id.String()
	msg := append([]byte{byte(len(name))}, name...)
	msg = append(appendSized(msg, id.hash), int32be(int32(date))...)
	for _, b := range [][]byte{u, ut, s.EncodeG1(ta), s.EncodeG1(tat)} {
		msg = appendSized(msg, b)
	}
	c, err := h2c.ExpandMessageXMD([]byte(bindingDST), msg, bindingChallenge)
	if err != nil {
		return nil, fmt.Errorf("binding proof: %w", err)
	}
	return c, nil
}

// appendSized appends b after its length in two bytes.
func appendSized(msg, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(msg, uint16(len(b))), b...)
}
