package protocol

import (
	"crypto/sha256"
	"fmt"
	"math"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
	"mpinlab/backends/h2c"
)

// milagro is the dialect of AMCL 2 and 3 and Apache Milagro.
type milagro struct{ peer }

func newMilagro(c backends.Curve) *milagro { return &milagro{newPeer(c)} }

func (d *milagro) hashIdentity(id []byte) []byte {
	h := sha256.Sum256(id)
	return d.pad(h[:])
}

func (d *milagro) hashLength() int { return max(sha256.Size, d.curve.Params().FieldBytes) }

// pad fills a hash with zeros from the left to the length of p.
func (d *milagro) pad(h []byte) []byte {
	b := make([]byte, d.hashLength())
	copy(b[len(b)-len(h):], h)
	return b
}

func (d *milagro) identityPoint(g *groups, h []byte) (backends.G1, error) {
	return g.point(h2c.MapIt(d.curve, h))
}

func (d *milagro) permitPoint(g *groups, h []byte, date Date) (backends.G1, error) {
	t := sha256.Sum256(append(int32be(int32(date)), h...))
	return g.point(h2c.MapIt(d.curve, d.pad(t[:])))
}

func (d *milagro) hasOnePass() bool { return true }

// challenge leaves the time out where it is 0, as the peers do.
func (d *milagro) challenge(_ []byte, time int64, u, message []byte) ([]byte, error) {
	if time < 0 || time > math.MaxInt32 {
		return nil, fmt.Errorf("%w: time %d does not fit 31 bits", ErrDate, time)
	}
	h := sha256.New()
	if time != 0 {
		h.Write(int32be(int32(time)))
	}
	h.Write(u)
	h.Write(message)
	return h.Sum(nil), nil
}

// G2 is written x.a ‖ x.b ‖ y.a ‖ y.b, real parts first and without a prefix.

func (d *milagro) encodeG2(p backends.G2) []byte {
	b := d.g2.IdentityBytes()
	if !p.IsIdentity() {
		b = prefixed(d.curve, p.Bytes())
	}
	return swapHalves(b[1:], d.curve.Params().FieldBytes)
}

func (d *milagro) decodeG2(b backends.Backend, data []byte) (backends.G2, error) {
	field := d.curve.Params().FieldBytes
	if len(data) != 4*field {
		return nil, d.g2.Error(fmt.Errorf("%w: %d bytes, not %d", backends.ErrLength, len(data), 4*field))
	}
	data, err := canonical(d.g2, encoding.G2(d.curve), d.curve, append([]byte{4}, swapHalves(data, field)...))
	if err != nil {
		return nil, err
	}
	return b.DecodeG2(data)
}

// swapHalves exchanges the real and imaginary parts of two F_p² coordinates.
func swapHalves(b []byte, field int) []byte {
	out := make([]byte, 0, len(b))
	for at := 0; at < len(b); at += 2 * field {
		out = append(out, b[at+field:at+2*field]...)
		out = append(out, b[at:at+field]...)
	}
	return out
}
