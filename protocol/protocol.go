// Package protocol is M-Pin itself, written once over package backends: the
// suites, the trusted authorities' shares, tokens and PINs, and the proofs
// between client and server: in two passes, in one, with a key agreement, and as
// a signature.
//
// # The mathematics
//
// A master secret s is the sum of the shares s_i of two or more Distributed
// Trusted Authorities. Q generates G2; A is the point of G1 that an identity
// hashes to, and A_T the point of that identity and a day.
//
//	server secret    s·Q   = Σ s_i·Q
//	client secret    s·A   = Σ s_i·A
//	time permit      s·A_T = Σ s_i·A_T
//	token            s·A − PIN·A
//	pass 1           U = x·A and, with permits, U_T = x·(A + A_T)
//	challenge        y
//	pass 2           V = −(x + y)·(token + PIN·A [+ s·A_T])
//	accept iff       e(V, Q) · e(U' + y·A', s·Q) = 1
//
// where A' = A + A_T and U' = U_T with permits, A and U without. The scheme is
// that of Scott, "M-Pin: a multi-factor zero knowledge authentication
// protocol" (MIRACL Labs), as deployed by CertiVox and Apache Milagro.
//
// # In use
//
// A [Suite] binds a dialect and a curve to a backend; everything else starts
// from it. A [MasterSecret] issues shares, [CombineClientSecrets] and its
// neighbours add them up, [ClientSecret.Token] takes the PIN out, [Prover] and
// [Verifier] hold the proof. Beside it there are [Suite.NewOnePass] with
// [OnePassVerifier], M-Pin Full ([FullToken], [FullChallenge],
// [FullTranscript]), and [Suite.Sign] with [Verifier.VerifySignature]. Values of
// one suite handed to another give [ErrSuiteMismatch].
//
// # Secrets and time
//
// Whether operations on secrets (master shares, x, x + y, the PIN, the token)
// take secret-dependent time is decided by the backend; see
// backends.Info.ConstantTime. The protocol's own code neither branches nor
// indexes on secrets, apart from reading PIN digits and refusing zero scalars.
package protocol

import (
	"crypto/rand"
	"errors"
	"io"
)

// The kinds of error that this package gives beside those of package backends
// (wrong length, bad flags, not canonical, not on the curve, not in the
// subgroup), all to be tested with errors.Is.
var (
	// ErrIdentityPoint: a point is the group's identity, which no message or
	// secret of M-Pin may be.
	ErrIdentityPoint = errors.New("identity point")
	// ErrZeroScalar: a secret or challenge is zero.
	ErrZeroScalar = errors.New("zero scalar")
	// ErrRejected: the proof is well formed and wrong: wrong PIN, token,
	// identity, permit, date or challenge.
	ErrRejected = errors.New("proof rejected")
	// ErrUsed: a challenge or prover was already used; each serves one login.
	ErrUsed = errors.New("already used")
	// ErrSuiteMismatch: values of two different suites.
	ErrSuiteMismatch = errors.New("values of different suites")
	// ErrIdentityLength: an identity is empty or longer than MaxIdentity.
	ErrIdentityLength = errors.New("identity has a bad length")
	// ErrPIN: not 4 to 12 decimal digits.
	ErrPIN = errors.New("a PIN is 4 to 12 decimal digits")
	// ErrNoPermits: the suite's dialect has no time permits.
	ErrNoPermits = errors.New("this dialect has no time permits")
	// ErrDate: a date that is not a positive number of days, or not the date
	// that the other side uses.
	ErrDate = errors.New("bad date")
	// ErrNoShares: nothing to combine.
	ErrNoShares = errors.New("no shares")
)

// MaxIdentity is the greatest length of an identity in bytes.
const MaxIdentity = 4096

// random returns r, or the system's cryptographic source where r is nil.
func random(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}
