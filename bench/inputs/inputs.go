// Package inputs makes the data that operations are measured on: 64 different
// ones of everything, the same for every library on a curve, as bytes, so that
// no library's own types favour it.
package inputs

import (
	"fmt"
	"math/rand/v2"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Count is how many different inputs there are of each kind.
const Count = 64

// Group is the data of the group operations on one curve. Element i of each
// list belongs together: P[i] = LogP[i]·G1, Q[i] = LogQ[i]·G2.
type Group struct {
	Curve backends.Curve
	// Scalars, and Short ones below 2^128, big-endian and as long as r.
	Scalars, Short [][]byte
	LogP, LogQ     [][]byte
	// P in both canonical encodings, Q uncompressed.
	P, PCompressed, Q [][]byte
	// Messages are hashed to the curve under DST.
	Messages [][]byte
	DST      []byte
	// Secret is s·G2, and SecretLog s. e(Left[i], G2)·e(P[i], Secret) is one
	// iff Holds[i].
	Secret, SecretLog []byte
	Left              [][]byte
	Holds             []bool
}

// NewGroup makes a curve's data with b, any backend of it. The same seed gives
// the same data.
func NewGroup(b backends.Backend, seed uint64) *Group {
	rng := rand.NewChaCha8(key(seed, b.Info().Curve))
	scalar := func() backends.Scalar {
		k, err := backends.RandomScalar(b, rng)
		if err != nil {
			panic(err) // ChaCha8 does not run dry
		}
		return k
	}
	secret := scalar()
	in := &Group{
		Curve:     b.Info().Curve,
		DST:       []byte("MPINLAB-BENCH-" + b.Info().Curve.Params().HashName),
		Secret:    b.G2().Mul(secret).Bytes(),
		SecretLog: secret.Bytes(),
	}
	for i := range Count {
		p, q := scalar(), scalar()
		short := make([]byte, 16)
		rng.Read(short)
		message := make([]byte, 32)
		rng.Read(message)
		P := b.G1().Mul(p)
		left := P.Mul(secret.Neg())
		holds := i%8 != 7
		if !holds {
			left = left.Add(b.G1())
		}
		in.Scalars = append(in.Scalars, scalar().Bytes())
		in.Short = append(in.Short, b.ReduceScalar(short).Bytes())
		in.LogP, in.LogQ = append(in.LogP, p.Bytes()), append(in.LogQ, q.Bytes())
		in.P = append(in.P, P.Bytes())
		in.PCompressed = append(in.PCompressed, P.BytesCompressed())
		in.Q = append(in.Q, b.G2().Mul(q).Bytes())
		in.Messages = append(in.Messages, message)
		in.Left, in.Holds = append(in.Left, left.Bytes()), append(in.Holds, holds)
	}
	return in
}

// Protocol is the data of the protocol operations on one suite: a deployment
// of two D-TAs and 64 users, each with a login as the server sees it.
type Protocol struct {
	Suite        protocol.SuiteID
	Masters      [2][]byte
	ServerSecret []byte
	Date         protocol.Date
	Users        []User
}

// User is a user and one login without a time permit. In every eighth the PIN
// is wrong, and Accept false.
type User struct {
	Identity            []byte
	Hash                []byte
	PIN                 string
	ClientSecret, Token []byte
	U, Y, V             []byte
	Accept              bool
}

// NewProtocol makes a suite's data. The same seed gives the same data on every
// backend of the suite.
func NewProtocol(s *protocol.Suite, seed uint64) (*Protocol, error) {
	rng := rand.NewChaCha8(key(seed, s.ID().Curve))
	in := &Protocol{Suite: s.ID(), Date: 20000}
	var masters []*protocol.MasterSecret
	var shares []*protocol.ServerSecret
	for i := range in.Masters {
		m, err := s.NewMasterSecret(rng)
		if err != nil {
			return nil, err
		}
		in.Masters[i] = m.Bytes()
		masters, shares = append(masters, m), append(shares, m.ServerShare())
	}
	server, err := protocol.CombineServerSecrets(shares...)
	if err != nil {
		return nil, err
	}
	in.ServerSecret = server.Bytes()
	for i := range Count {
		u, err := newUser(s, rng, masters, i)
		if err != nil {
			return nil, fmt.Errorf("user %d: %w", i, err)
		}
		in.Users = append(in.Users, *u)
	}
	return in, nil
}

func newUser(s *protocol.Suite, rng *rand.ChaCha8, masters []*protocol.MasterSecret, i int) (*User, error) {
	u := &User{
		Identity: fmt.Appendf(nil, `{"issued":"2026-11-23 09:00:00.000000","mobile":0,"salt":"%032x","userID":"user%d@example.com"}`, rng.Uint64(), i),
		PIN:      fmt.Sprintf("%04d", 1+rng.Uint64()%9999),
		Accept:   i%8 != 7,
	}
	id, err := s.Identity(u.Identity)
	if err != nil {
		return nil, err
	}
	u.Hash = id.Hash()
	var shares []*protocol.ClientSecret
	for _, m := range masters {
		c, err := m.ClientShare(id)
		if err != nil {
			return nil, err
		}
		shares = append(shares, c)
	}
	secret, err := protocol.CombineClientSecrets(shares...)
	if err != nil {
		return nil, err
	}
	pin, err := s.PIN(u.PIN)
	if err != nil {
		return nil, err
	}
	token, err := secret.Token(id, pin)
	if err != nil {
		return nil, err
	}
	u.ClientSecret, u.Token = secret.Bytes(), token.Bytes()
	whole := secret
	if !u.Accept {
		// The token itself in the secret's place is a login with PIN 0000 for
		// a user whose PIN is another.
		if whole, err = token.Secret(id); err != nil {
			return nil, err
		}
	}
	prover, err := s.NewProver(id, whole, nil, rng)
	if err != nil {
		return nil, err
	}
	y, err := backends.RandomScalar(s.Backend(), rng)
	if err != nil {
		return nil, err
	}
	u.U, u.Y = prover.Pass1().U, s.EncodeScalar(y)
	u.V, err = prover.Pass2(u.Y)
	return u, err
}

func key(seed uint64, c backends.Curve) (k [32]byte) {
	copy(k[:], fmt.Sprintf("%016x %s", seed, c))
	return k
}
