package protocol

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// peer holds what the two MIRACL dialects share: PINs of four digits, scalars
// as long as p, and G1 points as 04 ‖ x ‖ y.
type peer struct {
	curve  backends.Curve
	g1, g2 *encoding.Codec
}

func newPeer(c backends.Curve) peer {
	return peer{c, encoding.PrefixedG1(c), encoding.PrefixedG2(c)}
}

func (d *peer) pin(number uint64, _ int) (uint64, int) { return number % 10000, 14 }

// pinExponent is the PIN's low 14 bits: MPIN_CLIENT_KEY takes that many and,
// unlike the functions on points, does not reduce modulo 10000. The two agree
// on PINs of four digits only, so that a longer PIN gives the client a key
// that the server does not have.
func (d *peer) pinExponent(number uint64) uint64 { return number & (1<<14 - 1) }

func (d *peer) encodeScalar(k backends.Scalar) []byte {
	b := make([]byte, d.curve.Params().FieldBytes)
	s := k.Bytes()
	copy(b[len(b)-len(s):], s)
	return b
}

func (d *peer) decodeScalar(b backends.Backend, data []byte) (backends.Scalar, error) {
	p := d.curve.Params()
	if len(data) != p.FieldBytes {
		return nil, fmt.Errorf("%s scalar: %w: %d bytes, not %d", d.curve, backends.ErrLength, len(data), p.FieldBytes)
	}
	high := len(data) - p.ScalarBytes
	for _, v := range data[:high] {
		if v != 0 {
			return nil, fmt.Errorf("%s scalar: %w: not below the group order", d.curve, backends.ErrNotCanonical)
		}
	}
	return b.DecodeScalar(data[high:])
}

func (d *peer) encodeG1(p backends.G1) []byte {
	if p.IsIdentity() {
		return d.g1.IdentityBytes()
	}
	return prefixed(d.curve, p.Bytes())
}

func (d *peer) decodeG1(b backends.Backend, data []byte) (backends.G1, error) {
	data, err := canonical(d.g1, encoding.G1(d.curve), d.curve, data)
	if err != nil {
		return nil, err
	}
	return b.DecodeG1(data)
}

// prefixed turns the canonical uncompressed encoding of a point other than the
// identity into 04 ‖ x ‖ y.
func prefixed(c backends.Curve, b []byte) []byte {
	if c.Params().Style == backends.Prefixed {
		return b
	}
	return append([]byte{4}, b...)
}

// canonical turns 04 ‖ x ‖ y, checked by from, into the curve's canonical
// encoding. Compressed points are refused: these dialects do not send any.
func canonical(from, to *encoding.Codec, c backends.Curve, data []byte) ([]byte, error) {
	form, err := from.CheckUncompressed(data)
	if err != nil {
		return nil, err
	}
	if form == encoding.Identity {
		return to.IdentityBytes(), nil
	}
	if c.Params().Style == backends.Prefixed {
		return data, nil
	}
	return data[1:], nil
}
