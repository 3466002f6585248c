// Package attack carries attacks on M-Pin out and measures what they cost: the
// search for a PIN with a stolen token and the server secret, the same with the
// token alone, the compromise of some D-TAs of a threshold, and what a server
// learns from the errors of PINs.
//
// Everything here is known to whoever reads the protocol; the point is how long
// it takes, and what cannot be done.
package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"mpinlab/backends"
	"mpinlab/bench/rawjson"
	"mpinlab/protocol"
)

// Results is the content of a result file.
type Results struct {
	Environment rawjson.Settings `json:"environment"`
	// Search is the search with token and server secret.
	Search []SearchRow `json:"search"`
	// Alone is the search with the token alone, nil where it was not tried.
	Alone *Alone `json:"token_alone,omitempty"`
	// Threshold is the compromise of D-TAs, PINError what a server learns.
	Threshold []ThresholdRow `json:"threshold,omitempty"`
	PINError  []PINErrorRow  `json:"pin_error,omitempty"`
	Warnings  []string       `json:"warnings"`
}

// Options say how much is done. The zero value is ready for use.
type Options struct {
	// Seed makes secrets, PINs and candidates.
	Seed uint64
	// Quick does less of everything, for tests.
	Quick bool
	// Progress, if not nil, is told how many of total parts are done.
	Progress func(done, total int, label string)
}

// Run carries all attacks out: the search on every given backend, the others on
// the first that serves rfc9380/bls12-381. What fails leaves a warning. The
// results hold what was done even if ctx ends, and then the error is ctx's.
func Run(ctx context.Context, bs []backends.Backend, o Options) (*Results, error) {
	r := &Results{}
	type part struct {
		label string
		do    func() error
	}
	var parts []part
	for _, b := range bs {
		parts = append(parts, part{"search on " + b.Info().ID, func() error {
			rows, err := search(ctx, b, o)
			r.Search = append(r.Search, rows...)
			return err
		}})
	}
	if s := mainSuite(bs); s != nil {
		parts = append(parts,
			part{"token alone", func() (err error) { r.Alone, err = alone(ctx, s, o); return err }},
			part{"threshold", func() (err error) { r.Threshold, err = compromise(ctx, s, o); return err }},
			part{"PIN errors", func() (err error) { r.PINError, err = pinErrors(ctx, s, o); return err }})
	}
	for i, p := range parts {
		if o.Progress != nil {
			o.Progress(i, len(parts), p.label)
		}
		err := p.do()
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %v", p.label, err))
		}
	}
	if o.Progress != nil {
		o.Progress(len(parts), len(parts), "")
	}
	return r, nil
}

// mainSuite is rfc9380/bls12-381 on the first backend that serves it, or nil.
func mainSuite(bs []backends.Backend) *protocol.Suite {
	id := protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}
	for _, b := range bs {
		if b.Info().Curve == id.Curve {
			if s, err := protocol.New(id, b); err == nil {
				return s
			}
		}
	}
	return nil
}

// victim is a user with a deployment of one D-TA.
type victim struct {
	suite  *protocol.Suite
	rng    *rand.ChaCha8
	id     *protocol.Identity
	master *protocol.MasterSecret
	server *protocol.ServerSecret
	secret *protocol.ClientSecret
}

func newVictim(s *protocol.Suite, seed uint64) (*victim, error) {
	v := &victim{suite: s, rng: source(seed)}
	var err error
	if v.id, err = s.Identity([]byte("alice@example.org")); err != nil {
		return nil, err
	}
	if v.master, err = s.NewMasterSecret(v.rng); err != nil {
		return nil, err
	}
	v.server = v.master.ServerShare()
	v.secret, err = v.master.ClientShare(v.id)
	return v, err
}

// token is the victim's token under a PIN: what is stolen.
func (v *victim) token(pin uint64, digits int) (*protocol.Token, error) {
	f, err := v.suite.PINNumber(pin, digits)
	if err != nil {
		return nil, err
	}
	return v.secret.Token(v.id, f)
}

// login runs a whole login with a client secret and returns what the server
// saw.
func login(s *protocol.Suite, id *protocol.Identity, secret *protocol.ClientSecret, rng io.Reader) (*protocol.FailedLogin, error) {
	p, err := s.NewProver(id, secret, nil, rng)
	if err != nil {
		return nil, err
	}
	y, err := backends.RandomScalar(s.Backend(), rng)
	if err != nil {
		return nil, err
	}
	l := &protocol.FailedLogin{Pass1: p.Pass1(), Y: s.EncodeScalar(y)}
	l.V, err = p.Pass2(l.Y)
	return l, err
}

// accepted reports whether the server of a secret accepts a login with a client
// secret.
func accepted(s *protocol.Suite, server *protocol.ServerSecret, id *protocol.Identity, secret *protocol.ClientSecret, rng io.Reader) (bool, error) {
	l, err := login(s, id, secret, rng)
	if err != nil {
		return false, err
	}
	verifier, err := s.NewVerifier(server)
	if err != nil {
		return false, err
	}
	err = verifier.Verify(id, &protocol.Transcript{U: l.Pass1.U, Y: l.Y, V: l.V})
	if errors.Is(err, protocol.ErrRejected) {
		return false, nil
	}
	return err == nil, err
}

// source is a stream of pseudo-random bytes; nobody's secret depends on it.
func source(seed uint64) *rand.ChaCha8 {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// Write writes results as JSON.
func Write(w io.Writer, r *Results) error { return rawjson.Write(w, r) }

// ReadFile reads what Write wrote. Errors: rawjson.ErrFile, and those of the
// system.
func ReadFile(path string) (*Results, error) {
	b, err := rawjson.Load(path)
	if err != nil {
		return nil, err
	}
	r, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Read reads the content of a result file. Error: rawjson.ErrFile.
func Read(b []byte) (*Results, error) {
	var r Results
	if err := rawjson.Read(b, &r); err != nil {
		return nil, err
	}
	for i, row := range r.Search {
		if row.Backend == "" || row.Digits < 1 || row.Digits > 12 || !(row.Seconds > 0) || row.Method != ByPairing && row.Method != ByPowers && row.Method != BySquareRoot {
			return nil, fmt.Errorf("%w: row %d of the search", rawjson.ErrFile, i+1)
		}
	}
	return &r, nil
}
