package protocol_test

import (
	"bytes"
	"io"
	"math"
	"math/big"
	"math/rand"
	"os"
	"strconv"
	"testing"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
)

// A peer is another implementation of a suite. What goes in and out is bytes
// in the suite's encodings. A call that the peer refuses, other than verify,
// ends the test.
type peer interface {
	// random is a scalar of their generator, seeded with the given bytes.
	random(seed []byte) []byte
	// greatestPIN is the greatest number that their code holds as a PIN; like
	// ours it keeps the last four digits.
	greatestPIN() int
	// clientSecret, serverSecret and their sums are what an authority with the
	// share k issues and a user or server puts together.
	clientSecret(k, id []byte) []byte
	serverSecret(k []byte) []byte
	addG1(a, b []byte) []byte
	addG2(a, b []byte) []byte
	token(id []byte, pin int, secret []byte) []byte
	// pass1 also returns the secret with the factors put back and the permit
	// added, which pass2 wants.
	pass1(c peerClient, x []byte) (secret []byte, m protocol.Pass1)
	pass2(secret, x, y []byte) []byte
	// verify is their server's verdict: accepted, badPIN or another code.
	verify(id, server []byte, tr *protocol.Transcript) int
}

// milagroPeer is what only peers of the milagro dialect have.
type milagroPeer interface {
	peer
	hash(id []byte) []byte
	permit(k, id []byte, date protocol.Date) []byte
	// challenge is the y of the one-pass protocol.
	challenge(time int64, u []byte) []byte
	// prove and verifyOnePass are the one-pass protocol, with an empty message
	// for a log-in. The transcript's Y is not an input of the latter.
	prove(c peerClient, x []byte, time int64, message []byte) *protocol.Transcript
	verifyOnePass(id, server []byte, tr *protocol.Transcript, time int64, message []byte) int
}

// peerClient is what a user of a peer brings to a log-in.
type peerClient struct {
	id     []byte
	pin    int
	token  []byte
	date   protocol.Date
	permit []byte // nil where date is 0
}

// The verdicts of the peers' servers.
const (
	accepted = 0
	badPIN   = -19
)

// seeded runs f as a subtest with its own random source. The seed is printed
// on failure; MPIN_SEED in the environment repeats it.
func seeded(t *testing.T, name string, f func(t *testing.T, rng *rand.Rand)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		seed := time.Now().UnixNano()
		if s := os.Getenv("MPIN_SEED"); s != "" {
			var err error
			if seed, err = strconv.ParseInt(s, 10, 64); err != nil {
				t.Fatalf("MPIN_SEED: %v", err)
			}
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("to repeat: MPIN_SEED=%d", seed)
			}
		})
		f(t, rand.New(rand.NewSource(seed)))
	})
}

// eachBackend runs f for a suite on every backend of its curve, one after the
// other.
func eachBackend(t *testing.T, id protocol.SuiteID, f func(t *testing.T, s *protocol.Suite)) {
	t.Helper()
	ran := false
	for _, b := range all.Backends() {
		if b.Info().Curve != id.Curve {
			continue
		}
		ran = true
		t.Run(b.Info().ID, func(t *testing.T) {
			s, err := protocol.New(id, b)
			if err != nil {
				t.Fatal(err)
			}
			f(t, s)
		})
	}
	if !ran {
		t.Errorf("no backend of %s", id.Curve)
	}
}

func sameBytes(t *testing.T, what string, ours, theirs []byte) {
	t.Helper()
	if !bytes.Equal(ours, theirs) {
		t.Errorf("%s: ours is %x, theirs %x", what, ours, theirs)
	}
}

func theirVerdict(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: their server says %d, not %d", what, got, want)
	}
}

// randomIdentity is 1 to 200 random bytes: on both sides of the hash's block
// length.
func randomIdentity(rng *rand.Rand) []byte { return randomBytes(rng, 1+rng.Intn(200)) }

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	rng.Read(b)
	return b
}

// draw is a scalar of the peer's generator.
func draw(p peer, rng *rand.Rand) []byte { return p.random(randomBytes(rng, 128)) }

// edgeScalars are the ends of the range of secrets and one within, encoded.
func edgeScalars(s *protocol.Suite, p peer, rng *rand.Rand) [][]byte {
	_, _, size := s.ID().Sizes()
	r := s.ID().Curve.Params().R
	last := new(big.Int).Sub(r, big.NewInt(1))
	return [][]byte{big.NewInt(1).FillBytes(make([]byte, size)), last.FillBytes(make([]byte, size)), draw(p, rng)}
}

// drawing is a random source from which backends.RandomScalar draws k.
func drawing(s *protocol.Suite, k []byte) io.Reader {
	return bytes.NewReader(new(big.Int).SetBytes(k).FillBytes(make([]byte, (s.ID().Curve.Params().R.BitLen()+128+7)/8)))
}

// peerDays are no day and, where the suite has permits, some day.
func peerDays(s *protocol.Suite, rng *rand.Rand) []protocol.Date {
	if !s.ID().TimePermits() {
		return []protocol.Date{0}
	}
	some := []protocol.Date{1, math.MaxInt32, protocol.Date(15000 + rng.Intn(10000)), protocol.Date(1 + rng.Int31n(math.MaxInt32))}
	return []protocol.Date{0, some[rng.Intn(len(some))]}
}

// otherDay is another day than d.
func otherDay(d protocol.Date) protocol.Date {
	if d == 1 {
		return 2
	}
	return d - 1
}

func wrongPIN(pin int, rng *rand.Rand) int { return (pin + 1 + rng.Intn(9999)) % 10000 }

// permitBytes encodes a permit, nil for none.
func permitBytes(p *protocol.Permit) []byte {
	if p == nil {
		return nil
	}
	return p.Bytes()
}

// committed is the commitment that counts: U without a permit, U_T with one.
func committed(m protocol.Pass1, date protocol.Date) []byte {
	if date != 0 {
		return m.UT
	}
	return m.U
}
