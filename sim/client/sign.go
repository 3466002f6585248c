package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// SignedFormat names the format of a signature's file.
const SignedFormat = "mpin-signature/1"

// MaxSigned is the greatest size of a signature's file in bytes.
const MaxSigned = 16 << 10

// Signed is a designated-verifier signature as a file, in JSON. It goes to who
// holds the deployment's server secret, together with the message; nobody else
// can verify it. It needs no network to be made.
//
// It is made without a time permit, date 0, also in suites that have them, so
// that in these no login, which is answered for A + A_T, is a signature by
// itself. That is no guard against a dishonest service: it names the storage of
// permits, whose halves come without proofs, and with a half of its choice it can
// have a login answered such that a signature follows. In a suite without permits
// it needs not even that (see [protocol.Signature]). Where the service is not
// trusted that far, sign under an identity that does not log in.
//
// The D-TAs together can sign for anyone, and whether the time is acceptable and
// whether the same signature may come twice is for the verifier to decide.
type Signed struct {
	Format string `json:"format"`
	Suite  string `json:"suite"`
	MpinID string `json:"mpinId"`
	UserID string `json:"userId"`
	// Time is the client's, in seconds since the epoch. It is signed.
	Time int64 `json:"time"`
	// U and V are points of G1 in hex.
	U string `json:"u"`
	V string `json:"v"`
}

// Sign signs a message of 1 to protocol.MaxMessage bytes, offline. A wrong PIN
// shows only when the signature is verified. Errors: protocol.ErrMessageLength,
// ErrSuite where the dialect has no signatures, ErrState, ErrPIN, ErrDamaged.
// Constant-time in token and PIN where the backend is.
func (c *Client) Sign(id *Identity, pin *PIN, message []byte) (*Signed, error) {
	return Sign(c.suite, id, pin, c.opt.Now().Unix(), message, c.opt.Rand)
}

// Sign is [Client.Sign] without a Client, for who has no connection. time is in
// seconds since the epoch.
func Sign(s *protocol.Suite, id *Identity, pin *PIN, time int64, message []byte, rand io.Reader) (*Signed, error) {
	if !s.HasOnePass() {
		return nil, fmt.Errorf("%w: %s has no signatures", ErrSuite, s.ID())
	}
	point, secret, err := id.secret(s, pin)
	if err != nil {
		return nil, err
	}
	sig, err := s.Sign(point, secret, nil, time, message, rand)
	if err != nil {
		return nil, err
	}
	return &Signed{
		Format: SignedFormat, Suite: s.ID().String(), MpinID: id.MpinID, UserID: id.UserID,
		Time: sig.Time, U: hexOf(sig.U), V: hexOf(sig.V),
	}, nil
}

// Bytes returns the file.
func (s *Signed) Bytes() []byte {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // strings and a number
	}
	return append(b, '\n')
}

// ParseSigned reads a signature's file. Error: ErrDamaged.
func ParseSigned(b []byte) (*Signed, error) {
	var s Signed
	if len(b) > MaxSigned {
		return nil, fmt.Errorf("%w: a signature of %d bytes", ErrDamaged, len(b))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || d.More() || s.Format != SignedFormat {
		return nil, fmt.Errorf("%w: not a signature in the format %s", ErrDamaged, SignedFormat)
	}
	if _, err := wire.ParseIdentity(s.MpinID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return &s, nil
}

// Verify checks the signature on a message with the server secret behind v, and
// that the identity named is that of the user named. It returns nil if both
// hold. Errors: protocol.ErrRejected, ErrSuite for a signature of another suite
// than v's secret, ErrDamaged, those of [protocol.Verifier.VerifySignature].
// Whether the user may sign, the time is acceptable, and the signature is new is
// the caller's to check.
func (s *Signed) Verify(suite *protocol.Suite, v *protocol.Verifier, message []byte) error {
	if s.Suite != suite.ID().String() {
		return fmt.Errorf("%w: the signature is of %q", ErrSuite, words(s.Suite))
	}
	raw, err := wire.RawIdentity(s.MpinID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	who, err := wire.ParseIdentity(s.MpinID)
	if err != nil || who.UserID != s.UserID {
		return fmt.Errorf("%w: the signature's user and identity differ", protocol.ErrRejected)
	}
	id, err := suite.Identity(raw)
	if err != nil {
		return err
	}
	sig := protocol.Signature{OnePassProof: protocol.OnePassProof{Time: s.Time}}
	if sig.U, err = fromHex(s.U, wire.MaxPoint); err != nil {
		return fmt.Errorf("%w: U: %w", ErrDamaged, err)
	}
	if sig.V, err = fromHex(s.V, wire.MaxPoint); err != nil {
		return fmt.Errorf("%w: V: %w", ErrDamaged, err)
	}
	return v.VerifySignature(id, 0, &sig, message)
}
