package protocol

import (
	"errors"
	"fmt"
	"io"

	"mpinlab/backends"
)

// ErrMessageLength: a message to sign is empty or longer than MaxMessage. An
// empty one would make a log-in a signature.
var ErrMessageLength = errors.New("message has a bad length")

// MaxMessage is the greatest length of a signed message in bytes. Sign the
// hash of anything longer.
const MaxMessage = 1 << 20

// Signature is a designated-verifier signature: a one-pass proof with the
// message in the challenge, y = H(time ‖ U' ‖ message). Only who has the server secret can
// verify it. The time is signed; whether it is acceptable, and whether the
// same signature may come twice, is the caller's to decide.
//
// Two things are not what one may expect of a signature:
//
//   - The D-TAs together can sign for anyone. The form without key escrow
//     prevents that: the client draws a [KeyPair], binds its secret to it, and
//     the server checks against the public key that it has on record for the
//     identity. A public key that arrives with the signature proves nothing
//     beyond the plain form, since the D-TAs can make one too.
//   - Whoever answers any challenge in a two-pass log-in can be made to sign:
//     a dishonest server that sends H(time ‖ U' ‖ message) as y is answered
//     with V. Sign under another identity than the one that logs in (for
//     example with a prefix that the D-TAs reserve for it), or under a key
//     pair that logs in nowhere.
//
// The scheme is that of milagro-crypto-js ("DVS": GET_DVS_KEYPAIR, CLIENT and
// SERVER with a message and a public key).
type Signature struct{ OnePassProof }

func checkMessage(message []byte) error {
	if len(message) == 0 || len(message) > MaxMessage {
		return fmt.Errorf("%w: %d bytes, not 1 to %d", ErrMessageLength, len(message), MaxMessage)
	}
	return nil
}

// Sign signs a message at the given time in seconds since the epoch. For the
// form without key escrow, secret and permit are what KeyPair.BindSecret and
// KeyPair.BindPermit made. Errors: ErrMessageLength, and those of
// Suite.NewOnePass. Constant-time in the secret where the backend is.
func (s *Suite) Sign(id *Identity, secret *ClientSecret, permit *Permit, time int64, message []byte, rand io.Reader) (*Signature, error) {
	if err := checkMessage(message); err != nil {
		return nil, err
	}
	p, err := s.proveAt(id, secret, permit, time, message, rand)
	if err != nil {
		return nil, err
	}
	return &Signature{*p}, nil
}

// VerifySignature checks a signature by the given identity; date is the day of
// the permit that the signer must have had, 0 for none. It returns nil if the
// signature holds and ErrRejected if it is well formed and wrong. Other errors:
// ErrMessageLength, ErrNoOnePass, and those of Verifier.Verify. Variable-time
// in public values only.
func (v *Verifier) VerifySignature(id *Identity, date Date, sig *Signature, message []byte) error {
	t, err := v.signed(id, date, sig, message)
	if err != nil {
		return err
	}
	return v.Verify(id, t)
}

// signed rebuilds the transcript that a signature stands for.
func (v *Verifier) signed(id *Identity, date Date, sig *Signature, message []byte) (*Transcript, error) {
	if err := checkMessage(message); err != nil {
		return nil, err
	}
	if !v.suite.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	return v.suite.transcriptAt(id, date, &sig.OnePassProof, message)
}

// VerifySignatureKey is VerifySignature for the form without key escrow: it
// accepts iff e(V, Pa)·e(U' + y·A', s·Q) = 1, where key is Pa as the server
// has it on record for the identity.
func (v *Verifier) VerifySignatureKey(id *Identity, key *PublicKey, date Date, sig *Signature, message []byte) error {
	t, err := v.signed(id, date, sig, message)
	if err != nil {
		return err
	}
	return v.VerifyKey(id, key, t)
}

// VerifyKey is Verify for a client whose secret is bound to a key pair.
func (v *Verifier) VerifyKey(id *Identity, key *PublicKey, t *Transcript) error {
	s := v.suite
	if !s.same(id.suite) || !s.same(key.suite) {
		return ErrSuiteMismatch
	}
	u, err := s.DecodeG1(t.U)
	if err != nil {
		return fmt.Errorf("commitment U: %w", err)
	}
	y, err := s.nonZeroScalar(t.Y)
	if err != nil {
		return fmt.Errorf("challenge y: %w", err)
	}
	p, err := s.DecodeG1(t.V)
	if err != nil {
		return fmt.Errorf("answer V: %w", err)
	}
	a, err := id.loginPoint(t.Date)
	if err != nil {
		return err
	}
	if !s.backend.PairingCheck([]backends.G1{p, u.Add(a.Mul(y))}, []backends.G2{key.point, v.secret}) {
		return ErrRejected
	}
	return nil
}
