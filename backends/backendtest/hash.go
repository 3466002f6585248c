package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

var hashLaws = []Law{
	{"hash to G1 is RFC 9380's, RO", func(b backends.Backend, e Effort) error {
		h, ok := b.(backends.Hasher)
		if !ok {
			return nil
		}
		return hashesLike(b, e, h.HashToG1, h2c.HashToG1)
	}},
	{"encode to G1 is RFC 9380's, NU", func(b backends.Backend, e Effort) error {
		h, ok := b.(backends.Encoder)
		if !ok {
			return nil
		}
		return hashesLike(b, e, h.EncodeToG1, h2c.EncodeToG1)
	}},
}

// hashesLike compares a backend's hash with the one on paper, where there is
// one for the curve; everywhere it must give points of the subgroup that
// depend on the message and the tag.
func hashesLike(b backends.Backend, e Effort, hash func(dst, msg []byte) backends.G1,
	paper func(backends.Curve, []byte, []byte) (h2c.Point, error)) error {
	curve := b.Info().Curve
	rng := rand.New(rand.NewSource(e.Seed + 3))
	dsts := [][]byte{[]byte("T"), []byte("MPIN-V01-CS01-ID-with-" + curve.Params().HashName),
		bytes.Repeat([]byte("t"), 255), bytes.Repeat([]byte("t"), 256), bytes.Repeat([]byte("t"), 1000)}
	msgs := [][]byte{nil, {0}, {0, 0}, []byte("alice@example.com"), bytes.Repeat([]byte("m"), 64), bytes.Repeat([]byte("m"), 5000)}
	for range e.Cases {
		m := make([]byte, rng.Intn(200))
		rng.Read(m)
		msgs = append(msgs, m)
	}
	seen := map[string]hashed{} // what gave a point
	for i, msg := range msgs {
		for j, dst := range dsts {
			if i >= 2 && j != i%len(dsts) {
				continue
			}
			p := hash(dst, msg)
			got := p.Bytes()
			what := hashed{string(msg), string(dst)}
			if _, err := b.DecodeG1(got); err != nil || p.IsIdentity() {
				return fmt.Errorf("%s: not a point of G1: %v", what, err)
			}
			if before, ok := seen[string(got)]; ok && before != what { // a message may be drawn twice
				return fmt.Errorf("%s and %s give the same point", what, before)
			}
			seen[string(got)] = what
			want, err := paper(curve, dst, msg)
			if errors.Is(err, h2c.ErrCurve) {
				continue
			}
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want.Encode(curve)) {
				return fmt.Errorf("%s: %x, not %x", what, got, want.Encode(curve))
			}
		}
	}
	return nil
}

// hashed is what was hashed.
type hashed struct{ msg, dst string }

func (h hashed) String() string {
	return fmt.Sprintf("%d bytes of message %.8x under %d bytes of tag", len(h.msg), h.msg, len(h.dst))
}
